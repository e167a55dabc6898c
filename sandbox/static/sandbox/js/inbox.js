/** The chats on the left: who one can be, what was said last, how much of it is unread. */
import * as api from "./api.js";
import { byId, h, icon, showRows } from "./dom.js";
import { hueOf, initials, listTime } from "./format.js";
import { coalesced } from "./once.js";
import { recall, remember } from "./storage.js";

const SEEN = "quickcart-seen:";
const ROLES = { customer: "customer", reseller: "reseller", admin: "admin", group: "group", guest: "new" };

export class Inbox {
  chats = [];
  bot = null;
  openId = null;

  constructor({ onOpen }) {
    this.onOpen = onOpen;
    this.list = byId("chat-list");
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("button[data-chat]");
      if (row) this.onOpen(Number(row.dataset.chat));
    });
    this.list.addEventListener("keydown", (event) => this.#walk(event));
  }

  load = coalesced(() => this.#fetch());

  async #fetch() {
    const seen = this.chats.map((chat) => [chat.id, this.#seen(chat)]);
    const found = await api.inbox({ seen, also: this.openId });
    const isFirst = this.bot === null;
    this.bot = found.bot;
    this.chats = found.chats.filter((chat) => chat.migrated_to === null);
    this.chats.forEach((chat) => this.#firstSight(chat));
    this.show();
    if (isFirst) await this.#fetch(); // now that it is known what was seen
  }

  find(chatId) {
    return this.chats.find((chat) => chat.id === chatId);
  }

  /** Who writes in a chat: its person, in a group the first member that is listed. */
  actorOf(chat) {
    if (chat.kind === "private") return chat;
    const members = this.chats.filter((each) => chat.member_ids.includes(each.id));
    return members[0] ?? null;
  }

  nameOf(chatId) {
    return this.find(chatId)?.title ?? String(chatId);
  }

  markSeen(chatId, messageId) {
    const chat = this.find(chatId);
    if (!chat || messageId <= this.#seen(chat)) return;
    remember(SEEN + chatId, messageId);
    chat.unread = 0;
    this.show();
  }

  /** What was there before this browser came is no news. */
  #firstSight(chat) {
    const newest = chat.last?.message_id ?? 0;
    const seen = recall(SEEN + chat.id);
    if (seen === null || Number(seen) > newest) remember(SEEN + chat.id, newest);
  }

  #seen(chat) {
    return Number(recall(SEEN + chat.id) ?? 0);
  }

  show() {
    const rows = this.chats.map((chat) => ({
      key: String(chat.id),
      stamp: JSON.stringify([chat.title, chat.last, chat.blocked, chat.unread, chat.id === this.openId, new Date().toDateString()]),
      make: () => this.#row(chat),
    }));
    showRows(this.list, rows);
    const total = this.chats.reduce((sum, chat) => sum + chat.unread, 0);
    document.title = `${total ? `(${total}) ` : ""}${this.bot?.name ?? "QuickCart"} · sandbox`;
  }

  #row(chat) {
    const isOpen = chat.id === this.openId;
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "chat-row", dataset: { chat: chat.id, place: "row" }, "aria-current": isOpen ? "true" : null },
        avatar(chat),
        h(
          "span",
          { class: "lines" },
          h("span", { class: "first" }, h("strong", { dir: "auto" }, chat.title), roleMark(chat), chat.last && h("time", {}, listTime(chat.last.date))),
          h("span", { class: "second" }, h("span", { class: "preview", dir: "auto" }, preview(chat)), chat.unread ? badge(chat.unread) : null),
        ),
      ),
    );
  }

  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const rows = [...this.list.querySelectorAll("button[data-chat]")];
    rows[rows.indexOf(document.activeElement) + step]?.focus();
  }
}

const badge = (unread) => h("span", { class: "badge", "aria-label": `${unread} unread` }, unread > 99 ? "99+" : String(unread));
const roleMark = (chat) => h("span", { class: `role ${chat.role}` }, chat.blocked ? "blocked the bot" : ROLES[chat.role]);

function preview(chat) {
  if (!chat.last) return chat.kind === "private" ? "No messages yet: press Start" : "No messages yet";
  const words = chat.last.preview || "Message";
  if (chat.last.from_bot) return words;
  return [h("span", { class: "who" }, chat.kind === "private" ? "You: " : `${chat.last.from_name}: `), words];
}

export function avatar(chat) {
  const inside = chat.kind === "private" ? initials(chat.title) : icon("group");
  return h("span", { class: `avatar hue-${hueOf(chat.id)}`, "aria-hidden": "true" }, inside);
}

const PEOPLE = ["Sari Melati", "Bayu Nugroho", "Intan Maharani", "Rizky Ananda", "Putri Amelia", "Dimas Saputra", "Ayu Rahmawati", "Fajar Hidayat", "Laras Kusuma", "Yoga Permana", "Nadia Safira", "Reza Firmansyah"];

/** Somebody who never wrote to the shop; names repeat once all are taken. */
export function newPerson(chats) {
  const taken = new Set(chats.map((chat) => chat.title));
  const name = PEOPLE.find((each) => !taken.has(each)) ?? PEOPLE[chats.length % PEOPLE.length];
  const [first, last] = name.split(" ");
  return { first_name: first, last_name: last, username: `${first}_${last}`.toLowerCase(), language_code: "id" };
}
