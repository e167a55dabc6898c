/** What this browser remembers; a browser that refuses remembers it until the page is closed. */
const memory = new Map();

export function recall(name) {
  try {
    return localStorage.getItem(name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

export function remember(name, value) {
  memory.set(name, String(value));
  try {
    localStorage.setItem(name, String(value));
  } catch {
    // Refused or full: the memory of the page has it.
  }
}
