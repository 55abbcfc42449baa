// Call `action` once the events have been quiet for `delay` milliseconds.
// Useful for a search box: ask the server when the typing stops, not at every key.
export function debounce(action, delay = 250) {
  let timer = null;
  return function (...given) {
    clearTimeout(timer);
    timer = setTimeout(() => action.apply(this, given), delay);
  };
}
