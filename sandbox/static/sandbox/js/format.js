/** How times, money, names and sizes read. */

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "2-digit", year: "2-digit" });

const at = (seconds) => new Date(seconds * 1000);

export const timeOfDay = (seconds) => clock.format(at(seconds));
export const exactTime = (iso) => exact.format(new Date(iso));
export const wallClock = () => clock.format(new Date());

export function dayName(seconds) {
  const days = daysAgo(at(seconds));
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : day.format(at(seconds));
}

/** As short as a list of chats has room for. */
export function listTime(seconds) {
  const days = daysAgo(at(seconds));
  if (days === 0) return timeOfDay(seconds);
  return days < 7 ? weekday.format(at(seconds)) : shortDay.format(at(seconds));
}

function daysAgo(date) {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  return date >= midnight ? 0 : Math.ceil((midnight - date) / 86_400_000);
}

export const rupiah = (amount) => `Rp${String(Math.trunc(amount)).replace(/\B(?=(\d{3})+$)/g, ".")}`;

export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const kilobytes = bytes / 1024;
  return kilobytes < 1024 ? `${kilobytes.toFixed(1)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

export const initials = (name) =>
  name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");

/** One of seven colours, always the same for the same id. */
export const hueOf = (id) => Math.abs(id) % 7;
