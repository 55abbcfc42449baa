/* Counts, records and breaks the system calls that change files under one folder, for the process that loads it.

   Every call is seen, whoever makes it, because it is the kernel that stops them: a seccomp filter traps the calls
   (see seccomp(2), SECCOMP_RET_TRAP) and the SIGSYS handler below makes them itself, or not. Load it with ctypes and
   call `fault_start` once all that should pass unseen is done; threads of the process are covered, new ones too.

   The log has one line a call, tab-separated, each written before the call is made:
       number  operation  path  second-path  offset  length  data-offset
   and, in record mode, a second line after it: `number  =  result`. Calls are made one at a time, so that the log's
   order is the true one; the bytes written stand in the data file from data-offset on. What is stored through mapped
   memory is no call and is not seen: SQLite's index of its log (-shm), which it makes anew after a crash. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

enum mode { COUNT, RECORD, KILL, TEAR, HALT, FAIL };

static char root[PATH_MAX];
static size_t root_length;
static long target, failure, persistent;
static const char *failing;
static enum mode mode;
static int log_fd = -1, data_fd = -1;
static char wanted[32], pattern[PATH_MAX];
static atomic_flag busy = ATOMIC_FLAG_INIT;
static long calls, matching, data_end;

/* The one place that the filter lets through: it knows it by the address after the instruction. */
extern char allowed_return[];
long allowed(long number, long a, long b, long c, long d, long e, long f);
__asm__(".text\n.globl allowed\n.type allowed,@function\nallowed:\n"
        "mov %rdi,%rax\nmov %rsi,%rdi\nmov %rdx,%rsi\nmov %rcx,%rdx\nmov %r8,%r10\nmov %r9,%r8\nmov 8(%rsp),%r9\n"
        "syscall\n.globl allowed_return\nallowed_return:\nret\n");

static const struct { long number; const char *name; } TRAPPED[] = {
    {SYS_write, "write"}, {SYS_pwrite64, "write"}, {SYS_writev, "write"}, {SYS_pwritev, "write"},
    {SYS_pwritev2, "write"}, {SYS_sendfile, "write"}, {SYS_copy_file_range, "write"}, {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fsync"}, {SYS_sync_file_range, "fsync"}, {SYS_rename, "rename"}, {SYS_renameat, "rename"},
    {SYS_renameat2, "rename"}, {SYS_link, "link"}, {SYS_linkat, "link"}, {SYS_unlink, "unlink"},
    {SYS_unlinkat, "unlink"}, {SYS_rmdir, "unlink"}, {SYS_mkdir, "mkdir"}, {SYS_mkdirat, "mkdir"},
    {SYS_truncate, "truncate"}, {SYS_ftruncate, "truncate"}, {SYS_fallocate, "truncate"}, {SYS_open, "create"},
    {SYS_openat, "create"}, {SYS_openat2, "create"}, {SYS_creat, "create"}};
enum { TRAPS = sizeof TRAPPED / sizeof *TRAPPED };

struct call { long number; const char *name; long args[6]; char path[PATH_MAX], second[PATH_MAX]; };

static int starts(const char *path) {
    return !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static void of_descriptor(long fd, char *path) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%ld", fd);
    long length = allowed(SYS_readlink, (long)name, (long)path, PATH_MAX - 1, 0, 0, 0);
    path[length > 0 ? length : 0] = 0;
}

static void of_name(long folder, long name, char *path) {
    const char *text = (const char *)name;
    if (*text == '/') { snprintf(path, PATH_MAX, "%s", text); return; }
    if ((int)folder == AT_FDCWD) { if (allowed(SYS_getcwd, (long)path, PATH_MAX, 0, 0, 0, 0) < 0) *path = 0; }
    else of_descriptor(folder, path);
    size_t length = strlen(path);
    snprintf(path + length, PATH_MAX - length, "/%s", text);
}

static void locate(struct call *call) {
    long *a = call->args;
    switch (call->number) {
    case SYS_rename: case SYS_link: of_name(AT_FDCWD, a[0], call->path); of_name(AT_FDCWD, a[1], call->second); break;
    case SYS_renameat: case SYS_renameat2: case SYS_linkat:
        of_name(a[0], a[1], call->path); of_name(a[2], a[3], call->second); break;
    case SYS_unlink: case SYS_rmdir: case SYS_mkdir: case SYS_truncate: case SYS_open: case SYS_creat:
        of_name(AT_FDCWD, a[0], call->path); break;
    case SYS_unlinkat: case SYS_mkdirat: case SYS_openat: case SYS_openat2: of_name(a[0], a[1], call->path); break;
    case SYS_copy_file_range: of_descriptor(a[2], call->path); break;
    default: of_descriptor(a[0], call->path);
    }
}

static int exists(const char *path) {
    struct stat state;
    return allowed(SYS_newfstatat, AT_FDCWD, (long)path, (long)&state, 0, 0, 0) == 0;
}

/* Opening a file that is there, without emptying it, changes nothing. */
static int changes(struct call *call) {
    if (strcmp(call->name, "create")) return 1;
    long flags = call->number == SYS_openat ? call->args[2] : call->number == SYS_open ? call->args[1]
               : call->number == SYS_openat2 ? (long)((struct open_how *)call->args[2])->flags : O_CREAT | O_TRUNC;
    return (flags & O_TRUNC) || ((flags & O_CREAT) && !exists(call->path));
}

static long make(struct call *call) {
    long *a = call->args;
    return allowed(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long length_of(struct call *call) {
    if (call->number == SYS_write || call->number == SYS_pwrite64) return call->args[2];
    if (call->number == SYS_truncate || call->number == SYS_ftruncate) return call->args[1];
    if (call->number == SYS_fallocate) return call->args[2] + call->args[3];
    long length = 0;
    if (!strcmp(call->name, "write"))
        for (int i = 0; i < call->args[2]; i++) length += ((struct iovec *)call->args[1])[i].iov_len;
    return length;
}

static long offset_of(struct call *call) {
    if (call->number == SYS_pwrite64 || call->number == SYS_pwritev || call->number == SYS_pwritev2)
        return call->args[3];
    if (strcmp(call->name, "write")) return 0;
    if (allowed(SYS_fcntl, call->args[0], F_GETFL, 0, 0, 0, 0) & O_APPEND) {
        struct stat state;
        allowed(SYS_fstat, call->args[0], (long)&state, 0, 0, 0, 0);
        return state.st_size;
    }
    return allowed(SYS_lseek, call->args[0], 0, SEEK_CUR, 0, 0, 0);
}

static void keep_data(struct call *call, long length) {
    if (call->number == SYS_write || call->number == SYS_pwrite64)
        allowed(SYS_pwrite64, data_fd, call->args[1], length, data_end, 0, 0);
    else allowed(SYS_pwritev, data_fd, call->args[1], call->args[2], data_end, 0, 0);
    data_end += length;
}

static long note(struct call *call) {
    char line[3 * PATH_MAX];
    long number = ++calls, length = length_of(call);
    long size = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\t%ld\t%ld\t%ld\n", number, call->name, call->path,
                         call->second, offset_of(call), length, data_end);
    if (mode == RECORD && !strcmp(call->name, "write")) keep_data(call, length);
    allowed(SYS_write, log_fd, (long)line, size, 0, 0, 0);
    return number;
}

static void halt(void) {
    for (;;) allowed(SYS_pause, 0, 0, 0, 0, 0, 0);
}

static void die(void) {
    allowed(SYS_kill, allowed(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGKILL, 0, 0, 0, 0);
    halt();
}

/* A part of a write reaches the file, another part each time; any other call is made whole; then the process dies. */
static void tear(struct call *call, long number) {
    struct iovec *parts = (struct iovec *)call->args[1], first;
    if (call->number == SYS_write || call->number == SYS_pwrite64)
        call->args[2] = call->args[2] * (1 + number % 7) / 8;
    else if (!strcmp(call->name, "write")) {
        first = (struct iovec){parts->iov_base, parts->iov_len / 2};
        call->args[1] = (long)&first, call->args[2] = 1;
    }
    make(call);
    die();
}

static int matches(struct call *call) {
    return !*wanted || (!strcmp(wanted, call->name) && !fnmatch(pattern, call->path, FNM_PATHNAME));
}

static int still_fails(struct call *call, int counted) {
    return failing && ((persistent == 1 && counted) || (persistent == 2 && failing == call->name) || persistent == 3);
}

static long one_at_a_time(struct call *call) {
    char line[64];
    long number = note(call);
    int counted = matches(call), here = counted && ++matching == target;
    if (mode == KILL && here) die();
    if (mode == HALT && here) halt();
    if (mode == TEAR && here) tear(call, target);
    if (mode == FAIL && here) failing = call->name;
    long result = (mode == FAIL && here) || still_fails(call, counted) ? -failure : make(call);
    if (mode == RECORD)
        allowed(SYS_write, log_fd, (long)line, snprintf(line, sizeof line, "%ld\t=\t%ld\n", number, result), 0, 0, 0);
    return result;
}

static long handle(struct call *call) {
    locate(call);
    if (!(starts(call->path) || starts(call->second)) || !changes(call)) return make(call);
    /* Whoever copies so can also write, and then what is written is seen. */
    if (call->number == SYS_sendfile || call->number == SYS_copy_file_range) return -EINVAL;
    while (atomic_flag_test_and_set(&busy)) allowed(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    long result = one_at_a_time(call);
    atomic_flag_clear(&busy);
    return result;
}

static void on_trap(int signal, siginfo_t *info, void *context) {
    (void)signal;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct call call = {.number = info->si_syscall};
    const int order[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    for (int i = 0; i < 6; i++) call.args[i] = registers[order[i]];
    for (int i = 0; i < TRAPS; i++) if (TRAPPED[i].number == call.number) call.name = TRAPPED[i].name;
    registers[REG_RAX] = handle(&call);
}

static int filter(void) {
    struct sock_filter code[3 * TRAPS + 16];
    unsigned long back = (unsigned long)allowed_return;
    int n = 0;
#define PUT(...) code[n++] = (struct sock_filter)__VA_ARGS__
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)));
    PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)back, 0, 3));
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4));
    PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(back >> 32), 0, 1));
    PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (int i = 0; i < TRAPS; i++) {
        long number = TRAPPED[i].number;
        if (number == SYS_open || number == SYS_openat) { /* only where it may create or empty a file */
            PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
            PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[number == SYS_open ? 1 : 2])));
            PUT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC, 0, 1));
            PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
            PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        } else {
            PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
            PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
        }
    }
    PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog program = {n, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/* Whether call `at` has come. */
int fault_reached(void) { return failing != 0; }

/* From now on calls under `folder` (absolute, no links) are logged to `log`. `how` is c(ount), r(ecord; bytes to
   `data`), k(ill before call `at`), t(ear call `at`), h(alt for ever before it) or f(ail call `at` with `error`). With
   `operation`, only its calls on files whose name matches `files` (see fnmatch) are numbered for `at`. What fails
   after that call: with `keep` 0 nothing, 1 the calls that are numbered, 2 all of the same operation, 3 all.
   Returns 0, or -1 where the kernel refuses. */
int fault_start(const char *folder, const char *log, const char *data, char how, const char *operation,
                const char *files, long at, long error, long keep) {
    snprintf(wanted, sizeof wanted, "%s", operation);
    snprintf(pattern, sizeof pattern, "%s", files);
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    mode = how == 'r' ? RECORD : how == 'k' ? KILL : how == 't' ? TEAR : how == 'h' ? HALT : how == 'f' ? FAIL : COUNT;
    target = at, failure = error, persistent = keep;
    log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (mode == RECORD) data_fd = open(data, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSYS, &action, 0);
    return filter();
}
