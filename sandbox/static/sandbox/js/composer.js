/** What one writes with: text, files, the reply keyboard, and the big Start. */
import * as api from "./api.js";
import { Commands } from "./commands.js";
import { attempt, toast } from "./dialogs.js";
import { byId, h } from "./dom.js";

const isTouch = matchMedia("(pointer: coarse)");

export class Composer {
  #chat = null;
  #me = null;
  #replyTo = null;
  #drafts = new Map();
  #keyboard = null;
  #isKeyboardWanted = true;
  #sending = Promise.resolve();

  constructor({ onSent }) {
    this.onSent = onSent;
    this.box = byId("message");
    this.box.enterKeyHint = isTouch.matches ? "enter" : "send";
    this.commands = new Commands(this.box, { onChosen: (command) => this.#choose(command) });
    byId("form").addEventListener("submit", (event) => this.#submit(event));
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("paste", (event) => this.#paste(event));
    this.box.addEventListener("focus", () => isTouch.matches && this.#wantKeyboard(false));
    byId("attach").addEventListener("change", (event) => this.#attach(event));
    byId("start").addEventListener("click", () => this.#start());
    byId("toggle-keyboard").addEventListener("click", () => this.#toggleKeyboard());
    byId("reply-to").querySelector("button").addEventListener("click", () => this.replyTo(null));
    byId("reply-keyboard").addEventListener("click", (event) => this.#pressKey(event.target.closest("button")));
  }

  async open(chat, me) {
    if (this.#chat) this.#drafts.set(this.#chat.id, this.box.value);
    [this.#chat, this.#me] = [chat, me];
    this.box.value = this.#drafts.get(chat.id) ?? "";
    this.replyTo(null);
    this.#typed();
    this.setKeyboard(null);
    this.showState({ mustStart: false });
    await this.commands.load(chat, me);
  }

  /** Start stands in for everything else while the chat is new or the bot is blocked. */
  showState({ mustStart, isBlocked = false }) {
    const hadFocus = document.activeElement === byId("start");
    byId("start").hidden = !mustStart;
    byId("start").textContent = isBlocked ? "Restart" : "Start";
    byId("start").dataset.blocked = String(isBlocked);
    byId("form").hidden = mustStart;
    this.#showKeyboard();
    this.#typed();
    if (hadFocus && !mustStart && !isTouch.matches) this.box.focus();
  }

  // --- The reply keyboard ---

  /** The message that brings the keyboard, or null: the same keys in a newer message come back. */
  setKeyboard(row) {
    const isNew = JSON.stringify([row?.message_id, row?.reply_markup]) !== JSON.stringify([this.#keyboard?.message_id, this.#keyboard?.reply_markup]);
    this.#keyboard = row;
    this.box.placeholder = row?.reply_markup.input_field_placeholder || "Message";
    if (isNew && row) this.#isKeyboardWanted = !isTouch.matches || document.activeElement !== this.box;
    this.#showKeyboard();
  }

  #showKeyboard() {
    const area = byId("reply-keyboard");
    const rows = this.#keyboard?.reply_markup.keyboard ?? [];
    const stamp = JSON.stringify(rows);
    if (area.dataset.stamp !== stamp) {
      area.replaceChildren(...rows.map((row) => h("div", { class: "row" }, row.map(replyKey))));
      area.dataset.stamp = stamp;
    }
    const isShown = rows.length > 0 && this.#isKeyboardWanted && !byId("form").hidden;
    area.hidden = !isShown;
    byId("toggle-keyboard").hidden = rows.length === 0;
    byId("toggle-keyboard").setAttribute("aria-expanded", String(isShown));
  }

  #wantKeyboard(isWanted) {
    this.#isKeyboardWanted = isWanted;
    this.#showKeyboard();
  }

  /** On a touch screen the keys of the bot take the place of the keyboard of the system. */
  #toggleKeyboard() {
    const isWanted = byId("reply-keyboard").hidden;
    if (isWanted && isTouch.matches) this.box.blur();
    this.#wantKeyboard(isWanted);
  }

  #pressKey(button) {
    if (!button) return;
    this.say(button.textContent);
    if (this.#keyboard?.reply_markup.one_time_keyboard) this.#wantKeyboard(false);
  }

  // --- Writing ---

  replyTo(row) {
    this.#replyTo = row;
    const bar = byId("reply-to");
    bar.hidden = !row;
    if (!row) return;
    bar.querySelector("strong").textContent = row.from_name ?? "";
    bar.querySelector("em").textContent = row.text ?? row.caption ?? "Media";
    this.box.focus();
  }

  write(text) {
    this.box.value = text;
    this.#typed();
    this.box.focus();
  }

  /** Sends a text at once, as a key of a keyboard does. */
  say(text) {
    return this.#send({ text });
  }

  /** One after the other, so that they arrive in the order they were written; to whom it was meant then. */
  #send(message) {
    const [chat, me] = [this.#chat, this.#me];
    if (!me) return toast("Nobody of this group is here to write");
    const body = { from_id: me.id, ...message };
    if (this.#replyTo) body.reply_to_message_id = this.#replyTo.message_id;
    this.replyTo(null);
    this.#sending = this.#sending.then(() => attempt(() => api.send(chat.id, asForm(body))));
    return this.#sending.then(async (sent) => {
      if (sent && chat === this.#chat) await this.onSent();
      return sent;
    });
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.box.value.trim();
    if (!text) return;
    this.box.value = "";
    this.#typed();
    await this.#sendOrKeep(text, { text });
  }

  /** What could not be sent goes back where it was written, before whatever was written since. */
  async #sendOrKeep(text, message) {
    const chat = this.#chat;
    if ((await this.#send(message)) || !text) return;
    const isHere = chat === this.#chat;
    const since = isHere ? this.box.value : (this.#drafts.get(chat.id) ?? "");
    const kept = since ? `${text}\n${since}` : text;
    if (isHere) this.write(kept);
    else this.#drafts.set(chat.id, kept);
  }

  async #start() {
    const button = byId("start");
    if (button.ariaBusy === "true") return; // not disabled: that would cost the focus
    button.ariaBusy = "true";
    const isBlocked = button.dataset.blocked === "true";
    const isFree = !isBlocked || (await attempt(() => api.setBlocked(this.#chat.id, false)));
    if (isFree) await this.say("/start");
    button.ariaBusy = null;
  }

  #attach(event) {
    const [file] = event.target.files;
    if (file) this.#sendFile(file);
    event.target.value = "";
  }

  #paste(event) {
    const [file] = event.clipboardData?.files ?? [];
    if (!file) return;
    event.preventDefault();
    this.#sendFile(file);
  }

  async #sendFile(file) {
    const isPhoto = /^image\/(png|jpeg|webp|gif)$/.test(file.type);
    const caption = this.box.value.trim();
    this.box.value = "";
    this.#typed();
    const message = caption ? { caption } : {};
    await this.#sendOrKeep(caption, { ...message, [isPhoto ? "photo" : "document"]: file });
  }

  #choose(command) {
    this.box.value = "";
    this.#typed();
    this.say(`/${command}`);
  }

  #typed() {
    this.box.style.height = "auto";
    if (this.box.scrollHeight) this.box.style.height = `${Math.min(this.box.scrollHeight, 160)}px`;
    byId("send").classList.toggle("ready", this.box.value.trim() !== "");
    this.commands.suggestFor(this.box.value);
  }

  #key(event) {
    if (this.commands.handleKey(event)) return;
    if (event.key === "Escape") this.replyTo(null);
    const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing && !isTouch.matches;
    if (!sends) return;
    event.preventDefault();
    byId("form").requestSubmit();
  }
}

/** Files travel as a form, all else as JSON. */
function asForm(message) {
  if (!Object.values(message).some((value) => value instanceof File)) return message;
  const form = new FormData();
  for (const [name, value] of Object.entries(message)) form.append(name, value);
  return form;
}

function replyKey(button) {
  const text = typeof button === "string" ? button : button.text;
  return h("button", { type: "button", class: "key" }, text);
}
