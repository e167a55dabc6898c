/** The open chat: its messages in order, changed in place. What one does to them: actions.js. */
import * as api from "./api.js";
import { toast } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { dayName } from "./format.js";
import { renderMessage } from "./message.js";
import { coalesced } from "./once.js";

const PAGE = 150;
const NEAR_BOTTOM = 140;
const SAME_BREATH_SECONDS = 600;
const RETRY_MS = 2_000;
const FOLLOW_MS = 4_000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Conversation {
  chat = null;
  me = null;
  rows = new Map();
  isLoaded = false;
  /** Fetches what changed; asked while it does, it does so once more. */
  refresh = async () => {};
  #articles = new Map();
  #event = 0;
  #missed = 0;
  #isStuck = true;
  #leaving = new AbortController();
  #olderKeyboard = null;
  #focusLostAt = -Infinity;

  constructor({ onKeyboard, onSeen, onChanged, onBotMessage }) {
    Object.assign(this, { onKeyboard, onSeen, onChanged, onBotMessage });
    this.log = byId("log");
    this.scroller = byId("scroller");
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("down").addEventListener("click", () => this.toBottom({ smooth: true }));
    byId("earlier").addEventListener("click", () => this.#showEarlier());
    const keepBottom = new ResizeObserver(() => this.#isStuck && this.toBottom());
    [this.scroller, this.log].forEach((each) => keepBottom.observe(each));
  }

  /** Shows another chat; `me` is who acts in it. */
  async open(chat, me) {
    this.leave();
    Object.assign(this, { chat, me });
    const { signal } = this.#leaving;
    this.log.setAttribute("aria-busy", "true");
    this.refresh = coalesced(() => this.#fetch(chat, signal));
    await this.refresh();
  }

  leave() {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    Object.assign(this, { chat: null, me: null, rows: new Map(), isLoaded: false, refresh: async () => {} });
    this.#articles.clear();
    [this.#event, this.#olderKeyboard, this.#isStuck] = [0, null, true];
    this.log.replaceChildren();
    this.#setMissed(0);
    byId("earlier").hidden = true;
  }

  get isEmpty() {
    return this.isLoaded && this.rows.size === 0;
  }

  async #fetch(chat, signal) {
    try {
      if (this.isLoaded) await this.#fetchChanges(chat, signal);
      else await this.#fetchNewest(chat, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (this.isLoaded) toast(error.message);
      else setTimeout(() => signal.aborted || this.refresh(), RETRY_MS);
    }
  }

  async #fetchNewest(chat, signal) {
    const found = await api.newest(chat.id, PAGE, signal);
    if (signal.aborted) return;
    this.#event = found.event;
    this.#olderKeyboard = found.keyboard;
    this.isLoaded = true;
    found.messages.forEach((row) => this.#put(row));
    byId("earlier").hidden = found.messages.length < PAGE;
    this.#changed();
    this.toBottom();
    this.log.setAttribute("aria-busy", "false");
  }

  async #fetchChanges(chat, signal) {
    const found = await api.changes(chat.id, this.#event, signal);
    if (signal.aborted) return;
    this.#event = Math.max(found.event, this.#event);
    if (!found.messages.length) return;
    const oldest = Math.min(...this.rows.keys());
    const shown = found.messages.filter((row) => this.rows.size === 0 || row.message_id >= oldest);
    const isStuck = this.#isStuck;
    const fresh = shown.filter((row) => (row.deleted ? this.#remove(row.message_id) : this.#put(row)));
    this.#changed();
    if (isStuck || fresh.some((row) => row.from_id === this.me?.id)) this.toBottom();
    else this.#setMissed(this.#missed + fresh.filter((row) => row.from_bot).length);
    if (fresh.some((row) => row.from_bot)) this.onBotMessage();
    this.#followFocus(fresh);
  }

  #followFocus(rows) {
    const isLost = document.activeElement === this.log && performance.now() - this.#focusLostAt < FOLLOW_MS;
    const successor = isLost && rows.findLast((row) => row.reply_markup?.inline_keyboard);
    if (!successor) return;
    this.#articles.get(successor.message_id)?.querySelector(".key")?.focus({ preventScroll: true });
    this.#focusLostAt = -Infinity;
  }

  async #showEarlier() {
    const button = byId("earlier");
    const { signal } = this.#leaving;
    const [chat, oldest] = [this.chat, Math.min(...this.rows.keys())];
    button.disabled = true;
    try {
      const found = await api.earlier(chat.id, oldest, PAGE, signal);
      if (signal.aborted) return;
      const height = this.scroller.scrollHeight;
      this.#isStuck = false;
      found.messages.forEach((row) => this.#put(row));
      this.#changed();
      this.scroller.scrollTop += this.scroller.scrollHeight - height;
      button.hidden = found.messages.length < PAGE;
    } catch (error) {
      if (!signal.aborted) toast(error.message);
    } finally {
      button.disabled = false;
    }
  }

  /** Returns whether the message is new here; an older state than the one shown changes nothing. */
  #put(row) {
    const { message_id: id } = row;
    const known = this.#articles.get(id);
    if (known && this.rows.get(id).event > row.event) return false;
    this.rows.set(id, row);
    const article = renderMessage(row, { me: this.me?.id, isGroup: this.chat.kind !== "private", known, log: this.log });
    if (known) return false;
    this.#articles.set(id, article);
    this.#insert(article, id);
    return true;
  }

  /** Nearly always at the end. */
  #insert(article, id) {
    const last = this.log.lastElementChild;
    if (!last || Number(last.dataset.id) < id) return this.log.append(article);
    const after = [...this.#articles.keys()].filter((each) => each > id);
    return this.log.insertBefore(article, this.#articles.get(Math.min(...after)));
  }

  #remove(id) {
    const article = this.#articles.get(id);
    const hadFocus = article?.contains(document.activeElement);
    article?.remove();
    this.#articles.delete(id);
    this.rows.delete(id);
    if (hadFocus) this.#handOnFocus(id);
    return false;
  }

  /** To the message that took its place, now or as soon as it comes: who shops by keyboard goes on there. */
  #handOnFocus(id) {
    this.log.focus({ preventScroll: true });
    this.#focusLostAt = performance.now();
    this.#followFocus([...this.rows.values()].filter((row) => row.message_id > id));
  }

  #changed() {
    this.#tidy();
    this.onKeyboard(this.#keyboard());
    this.onChanged();
    if (this.#isStuck) this.#seen();
  }

  /** Days between messages; which bubbles belong together. What is right already is not touched. */
  #tidy() {
    const days = new Map([...this.log.querySelectorAll(".day")].map((each) => [each.dataset.day, each]));
    let before = null;
    for (const article of this.log.querySelectorAll("article")) {
      const name = dayName(Number(article.dataset.date));
      const isNewDay = !before || dayName(Number(before.dataset.date)) !== name;
      if (isNewDay) this.#markDay(name, article, days);
      const follows = !isNewDay && belongTogether(before, article);
      article.classList.toggle("follows", follows);
      before?.classList.toggle("last", !follows);
      before = article;
    }
    before?.classList.add("last");
    days.forEach((each) => each.remove());
  }

  #markDay(name, article, days) {
    const mark = days.get(name) ?? h("p", { class: "day", "aria-live": "off", dataset: { day: name } }, h("span", {}, name));
    days.delete(name);
    if (mark.nextElementSibling !== article) this.log.insertBefore(mark, article);
  }

  /** The reply keyboard in force: that of the newest message that brings or removes one. */
  #keyboard() {
    const newest = [...this.rows.values()].sort((a, b) => b.message_id - a.message_id);
    const found = newest.find((row) => row.reply_markup?.keyboard || row.reply_markup?.remove_keyboard) ?? this.#olderKeyboard;
    return found?.reply_markup?.keyboard ? found : null;
  }

  // --- Where one looks ---

  toBottom({ smooth = false } = {}) {
    this.#isStuck = true;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth && !calm.matches ? "smooth" : "instant" });
    this.#setMissed(0);
    this.#seen();
  }

  jump(messageId) {
    const article = this.#articles.get(messageId);
    if (!article) return toast("That message is not here any more");
    article.scrollIntoView({ block: "center", behavior: calm.matches ? "instant" : "smooth" });
    article.classList.remove("flash");
    void article.offsetWidth; // starts the animation anew
    return article.classList.add("flash");
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#isStuck = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM;
    byId("down").hidden = this.#isStuck;
    if (!this.#isStuck) return;
    this.#setMissed(0);
    this.#seen();
  }

  #setMissed(count) {
    this.#missed = count;
    byId("down").hidden = this.#isStuck;
    byId("down-badge").hidden = count === 0;
    byId("down-badge").textContent = String(count);
  }

  #seen() {
    if (this.chat && !document.hidden && this.rows.size) this.onSeen(this.chat.id, Math.max(...this.rows.keys()));
  }
}

function belongTogether(before, article) {
  const isSameSender = before.dataset.sender === article.dataset.sender;
  return isSameSender && Number(article.dataset.date) - Number(before.dataset.date) < SAME_BREATH_SECONDS;
}
