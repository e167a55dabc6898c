/** Above the messages: with whom one talks, who one is, whether the bot is typing. */
import { byId, h } from "./dom.js";
import { avatar } from "./inbox.js";

const TYPING_MS = 5_000;
let status = "";
let typingEnds = null;

const botPicture = (size) => h("img", { src: document.body.dataset.avatar, alt: "", width: size, height: size });

export function showHeader(chat, me, bot) {
  const isPrivate = chat.kind === "private";
  byId("peer-name").textContent = isPrivate ? bot.name : chat.title;
  status = isPrivate ? "bot" : `group, ${chat.member_ids.length + 1} members`;
  byId("peer-avatar").replaceChildren(isPrivate ? botPicture(42) : avatar(chat));
  byId("me").replaceChildren(...(me ? [avatar(me), h("span", { title: me.title }, h("small", {}, "you are "), me.first_name)] : []));
  stopTyping();
}

export function showTyping(action) {
  byId("peer-status").textContent = action?.startsWith("upload") ? "sending a file…" : "typing…";
  byId("peer-status").classList.add("typing");
  clearTimeout(typingEnds);
  typingEnds = setTimeout(stopTyping, TYPING_MS);
}

export function stopTyping() {
  clearTimeout(typingEnds);
  byId("peer-status").textContent = status;
  byId("peer-status").classList.remove("typing");
}

/** What an empty chat says; null: there are messages. */
export function showIntro(chat, bot) {
  const intro = byId("intro");
  intro.hidden = !chat;
  if (!chat || intro.dataset.chat === String(chat.id)) return;
  intro.dataset.chat = chat.id;
  const isPrivate = chat.kind === "private";
  const words = isPrivate
    ? `Press Start and shop as ${chat.title}: choose a product, pay with QRIS, and the goods arrive here.`
    : "Here the staff hear of every sale. It stays quiet until somebody buys.";
  intro.replaceChildren(botPicture(88), h("strong", {}, isPrivate ? `This is ${bot.name}` : chat.title), h("p", {}, words));
}
