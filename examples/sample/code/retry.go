package retry

import (
	"context"
	"math/rand"
	"time"
)

// Do calls f until it succeeds, the context ends, or the attempts are used up.
// It waits between calls, twice as long each time, with some chance mixed in,
// so that many clients that failed together do not all come back together.
func Do(ctx context.Context, attempts int, f func() error) error {
	wait := 100 * time.Millisecond
	var err error
	for i := 0; i < attempts; i++ {
		if err = f(); err == nil {
			return nil
		}
		jitter := time.Duration(rand.Int63n(int64(wait)))
		select {
		case <-time.After(wait + jitter):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait *= 2
	}
	return err
}
