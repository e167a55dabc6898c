/** Hears what changed, by server-sent events; without them it asks every second. */

const RETRY_MS = 5_000;
const POLL_MS = 1_000;

/**
 * Calls `onChanges(Set of tokens)` for what changed, and `onReconnect()`, which resolves to whether it
 * went well, whenever something may have been missed.
 * A hidden page lets its stream go: the server keeps one thread for each.
 */
export function listen({ onChanges, onReconnect, onState }) {
  let source = null;
  let isPolling = false;

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
      startPolling();
      if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      close();
      setTimeout(() => document.hidden || open(), RETRY_MS);
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  /** The next question comes after the answer to the last. */
  async function startPolling() {
    if (isPolling) return;
    isPolling = true;
    while (isPolling && !document.hidden) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (isPolling && (await onReconnect())) onState(true);
    }
    isPolling = false;
  }

  function stopPolling() {
    isPolling = false;
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
