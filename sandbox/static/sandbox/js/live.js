/** Hears what changed, by server-sent events; without them it asks every second. */

const RETRY_MS = 5_000;
const POLL_MS = 1_000;

/**
 * Calls `onChanges(Set of tokens)` for what changed, and `onReconnect()` whenever something may have been missed.
 * A hidden page lets its stream go: the server keeps one thread for each.
 */
export function listen({ onChanges, onReconnect, onState }) {
  let source = null;
  let poll = null;

  function open() {
    if (source) return;
    source = new EventSource("/sandbox/live/");
    source.addEventListener("hello", () => {
      stopPolling();
      onState(true);
      onReconnect();
    });
    source.addEventListener("changes", (event) => onChanges(new Set(JSON.parse(event.data))));
    source.addEventListener("error", () => {
      onState(false);
      if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      close();
      startPolling();
      setTimeout(() => document.hidden || open(), RETRY_MS);
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  function startPolling() {
    poll ??= setInterval(onReconnect, POLL_MS);
  }

  function stopPolling() {
    clearInterval(poll);
    poll = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return open();
    close();
    return stopPolling();
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
