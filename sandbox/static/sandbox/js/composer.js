/** What one writes with: text, commands, files, the reply keyboard, and the big Start. */
import * as api from "./api.js";
import { attempt, toast } from "./dialogs.js";
import { byId, h } from "./dom.js";

const isTouch = matchMedia("(pointer: coarse)");

export class Composer {
  #chat = null;
  #me = null;
  #replyTo = null;
  #drafts = new Map();
  #commands = [];
  #markup = null;
  #isKeyboardWanted = true;

  constructor({ onSent }) {
    this.onSent = onSent;
    this.box = byId("message");
    byId("form").addEventListener("submit", (event) => this.#submit(event));
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("paste", (event) => this.#paste(event));
    byId("attach").addEventListener("change", (event) => this.#attach(event));
    byId("start").addEventListener("click", () => this.#start());
    byId("commands").addEventListener("click", () => this.#toggleCommands());
    byId("toggle-keyboard").addEventListener("click", () => this.#toggleKeyboard());
    byId("reply-to").querySelector("button").addEventListener("click", () => this.replyTo(null));
    byId("suggestions").addEventListener("click", (event) => this.#choose(event.target.closest("li")));
    byId("reply-keyboard").addEventListener("click", (event) => this.#pressKey(event.target.closest("button")));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#escape());
  }

  async open(chat, me) {
    if (this.#chat) this.#drafts.set(this.#chat.id, this.box.value);
    [this.#chat, this.#me, this.#commands] = [chat, me, []];
    this.box.value = this.#drafts.get(chat.id) ?? "";
    this.replyTo(null);
    this.#typed();
    byId("commands").hidden = chat.kind !== "private";
    const found = await attempt(() => api.commands(chat.id, me?.language_code ?? ""));
    if (chat === this.#chat) this.#commands = found?.commands ?? [];
  }

  /** The Start button stands in for everything else while the chat is new or the bot is blocked. */
  showState({ isEmpty, isBlocked }) {
    const isPrivate = this.#chat?.kind === "private";
    const mustStart = isPrivate && (isEmpty || isBlocked);
    byId("start").hidden = !mustStart;
    byId("start").textContent = isBlocked ? "Restart" : "Start";
    byId("start").dataset.blocked = String(Boolean(isBlocked));
    byId("form").hidden = mustStart;
    this.#showKeyboard(mustStart);
  }

  setKeyboard(markup) {
    const changed = JSON.stringify(markup) !== JSON.stringify(this.#markup);
    this.#markup = markup;
    this.box.placeholder = markup?.input_field_placeholder || "Message";
    if (changed) this.#isKeyboardWanted = true;
    this.#showKeyboard(byId("form").hidden);
  }

  #showKeyboard(isHidden) {
    const area = byId("reply-keyboard");
    const rows = this.#markup?.keyboard ?? [];
    const stamp = JSON.stringify(rows);
    if (area.dataset.stamp !== stamp) {
      area.replaceChildren(...rows.map((row) => h("div", { class: "row" }, row.map(replyKey))));
      area.dataset.stamp = stamp;
    }
    const isShown = rows.length > 0 && this.#isKeyboardWanted && !isHidden;
    area.hidden = !isShown;
    byId("toggle-keyboard").hidden = rows.length === 0;
    byId("toggle-keyboard").setAttribute("aria-expanded", String(isShown));
  }

  #toggleKeyboard() {
    this.#isKeyboardWanted = !this.#isKeyboardWanted;
    this.#showKeyboard(false);
  }

  #pressKey(button) {
    if (!button) return;
    this.say(button.textContent);
    if (this.#markup?.one_time_keyboard) this.#toggleKeyboard();
  }

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

  async #send(message) {
    if (!this.#me) return toast("Nobody of this group is here to write");
    const body = { from_id: this.#me.id, ...message };
    if (this.#replyTo) body.reply_to_message_id = this.#replyTo.message_id;
    const sent = await attempt(() => api.send(this.#chat.id, body));
    if (sent) this.#sent();
    return sent;
  }

  #sent() {
    this.replyTo(null);
    this.onSent();
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.box.value.trim();
    if (!text) return;
    this.box.value = "";
    this.#typed();
    if (!(await this.#send({ text })) && !this.box.value) this.write(text);
  }

  async #start() {
    if (byId("start").dataset.blocked === "true") {
      if (!(await attempt(() => api.setBlocked(this.#chat.id, false)))) return;
    }
    await this.say("/start");
    if (!isTouch.matches) this.box.focus();
  }

  async #attach(event) {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) await this.#sendFile(file);
  }

  #paste(event) {
    const [file] = event.clipboardData?.files ?? [];
    if (!file) return;
    event.preventDefault();
    this.#sendFile(file);
  }

  async #sendFile(file) {
    if (!this.#me) return;
    const isPhoto = /^image\/(png|jpeg|webp|gif)$/.test(file.type);
    const form = new FormData();
    form.set("from_id", String(this.#me.id));
    if (this.box.value.trim()) form.set("caption", this.box.value.trim());
    if (this.#replyTo) form.set("reply_to_message_id", String(this.#replyTo.message_id));
    form.set(isPhoto ? "photo" : "document", file, file.name);
    if (!(await attempt(() => api.send(this.#chat.id, form)))) return;
    this.box.value = "";
    this.#typed();
    this.#sent();
  }

  // --- Typing and commands ---

  #typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 160)}px`;
    byId("send").classList.toggle("ready", this.box.value.trim() !== "");
    const typed = /^\/(\w*)$/.exec(this.box.value);
    this.#suggest(typed ? this.#commands.filter((each) => each.command.startsWith(typed[1].toLowerCase())) : []);
  }

  #suggest(commands) {
    const list = byId("suggestions");
    list.replaceChildren(...commands.map((each, at) => suggestion(each, at === 0)));
    list.hidden = commands.length === 0;
    byId("commands").setAttribute("aria-expanded", String(!list.hidden));
  }

  #toggleCommands() {
    const isOpen = !byId("suggestions").hidden;
    this.#suggest(isOpen ? [] : this.#commands);
    if (!isOpen && !this.#commands.length) toast("The bot has published no commands yet");
  }

  #choose(item) {
    if (!item) return;
    this.#suggest([]);
    this.box.value = "";
    this.#typed();
    this.say(`/${item.dataset.command}`);
  }

  #key(event) {
    const list = byId("suggestions");
    if (!list.hidden && ["ArrowDown", "ArrowUp", "Tab"].includes(event.key)) return this.#walk(event, list);
    const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing && !isTouch.matches;
    if (!sends) return undefined;
    event.preventDefault();
    if (!list.hidden && list.dataset.walked) return this.#choose(list.querySelector("[aria-selected=true]"));
    return byId("form").requestSubmit();
  }

  #walk(event, list) {
    event.preventDefault();
    const items = [...list.children];
    const step = event.key === "ArrowUp" ? -1 : 1;
    const at = (items.findIndex((item) => item.ariaSelected === "true") + (list.dataset.walked ? step : 0) + items.length) % items.length;
    list.dataset.walked = "yes";
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    items[at].scrollIntoView({ block: "nearest" });
  }

  #escape() {
    if (!byId("suggestions").hidden) return this.#suggest([]);
    return this.replyTo(null);
  }
}

function replyKey(button) {
  const text = typeof button === "string" ? button : button.text;
  return h("button", { type: "button", class: "key" }, text);
}

const suggestion = (each, isFirst) =>
  h("li", { role: "option", "aria-selected": String(isFirst), dataset: { command: each.command } }, h("strong", {}, `/${each.command}`), h("span", {}, each.description));
