/** Where one is stands in the address, so that "back" works on a phone and a reload comes back here. */

export function place() {
  const parts = new URLSearchParams(location.hash.slice(1));
  return { chat: Number(parts.get("chat")) || null, panel: parts.get("panel") };
}

/** `replaces`: the place before is not one to come back to. */
export function go({ chat = place().chat, panel = null }, { replaces = false } = {}) {
  const parts = new URLSearchParams();
  if (chat) parts.set("chat", chat);
  if (panel) parts.set("panel", panel);
  const address = `${location.pathname}${parts.size ? `#${parts}` : ""}`;
  const isOurs = replaces ? Boolean(history.state?.isOurs) : true;
  history[replaces ? "replaceState" : "pushState"]({ isOurs }, "", address);
}

/** Back to where one came from; a page that was opened right here has nothing before it. */
export function leave(to, arrive) {
  if (history.state?.isOurs) return history.back();
  history.replaceState({}, "", location.pathname);
  if (to.chat !== null) go(to, { replaces: true });
  return arrive();
}
