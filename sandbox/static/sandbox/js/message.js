/** One bubble: text as the sandbox escaped it, picture, sticker or document, and its buttons. */
import { copy, showPicture } from "./dialogs.js";
import { h, icon, keepFocus } from "./dom.js";
import { fileSize, hueOf, timeOfDay } from "./format.js";

const WIDEST_PHOTO = 430;
const TALLEST_PHOTO = 250;
const NARROWEST_PHOTO = 330;
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f){1,8}$/u;

/** Makes or renews the element of a message. `me` is who looks; a focus that goes, goes to `log`. */
export function renderMessage(row, { me, isGroup, known, log }) {
  const article = known ?? h("article", { dataset: { id: row.message_id } });
  const parts = build(row, { me, isGroup, old: known });
  if (known) keepFocus(known, article, log);
  const position = ["follows", "last"].filter((each) => article.classList.contains(each));
  article.className = ["message", ...kindsOf(row), ...position].join(" ");
  article.setAttribute("aria-label", speaker(row, me));
  article.dataset.from = sideOf(row, me);
  article.dataset.date = row.date;
  article.dataset.sender = row.from_id;
  if (row.photo) article.style.setProperty("--photo-width", `${photoWidth(row)}px`);
  article.replaceChildren(...parts);
  return article;
}

/** A tall picture, such as a QR code, is shown smaller, with room beside it: its buttons stay in sight. */
function photoWidth({ photo_width: width, photo_height: height }) {
  const fitting = TALLEST_PHOTO * ((width || 1) / (height || 1));
  return Math.round(Math.max(NARROWEST_PHOTO, Math.min(WIDEST_PHOTO, fitting)));
}

function sideOf(row, me) {
  if (row.from_bot) return "bot";
  return row.from_id === me ? "me" : "other";
}

function speaker(row, me) {
  if (row.from_id === me) return "You";
  return row.from_bot ? "Bot" : row.from_name;
}

function kindsOf(row) {
  if (row.sticker) return ["is-sticker"];
  if (row.photo) return row.html ? ["is-photo", "is-captioned"] : ["is-photo"];
  if (row.document) return ["is-document"];
  if (row.text === null) return ["is-service"];
  return ONLY_EMOJI.test(row.text) ? ["is-text", "is-emoji"] : ["is-text"];
}

function build(row, context) {
  if (kindsOf(row)[0] === "is-service") return [h("p", { class: "service-text" }, "This group was changed")];
  const bubble = h("div", { class: "bubble" }, sender(row, context), quoted(row), media(row, context.old), text(row, context));
  if (!row.html) bubble.append(meta(row, context));
  bubble.append(replyButton(context));
  return [bubble, inlineKeyboard(row)].filter(Boolean);
}

/** By keyboard in groups, where people answer each other; elsewhere it would be one more stop per message. */
const replyButton = ({ isGroup }) =>
  h("button", { type: "button", class: "reply", tabindex: isGroup ? 0 : -1, dataset: { reply: "", place: "reply" }, "aria-label": "Reply", title: "Reply" }, icon("reply"));

const sender = (row, { isGroup, me }) =>
  isGroup && row.from_id !== me ? h("strong", { class: `sender hue-${hueOf(row.from_id)}`, dir: "auto" }, row.from_name) : null;

function quoted(row) {
  if (!row.reply_to) return null;
  return h(
    "button",
    { type: "button", class: "quoted", dataset: { to: row.reply_to.message_id, place: "quoted" }, "aria-label": `Reply to: ${row.reply_to.preview}` },
    h("strong", {}, row.reply_to.from_name),
    h("span", { dir: "auto" }, row.reply_to.preview),
  );
}

function media(row, old) {
  if (row.photo) return photo(row, old);
  if (row.sticker) return h("img", { class: "sticker", src: row.sticker, alt: "Sticker", width: 160, height: 160 });
  if (!row.document) return null;
  return h(
    "a",
    { class: "document", href: row.document, download: row.file_name ?? "", dataset: { place: "file" } },
    h("span", { class: "file" }, icon("file")),
    h("span", {}, h("strong", {}, row.file_name ?? "Document"), h("small", {}, `${fileSize(row.file_size ?? 0)} · download`)),
  );
}

function photo(row, old) {
  const kept = old?.querySelector(`img.photo[src="${CSS.escape(row.photo)}"]`);
  const words = (row.caption ?? "").split("\n", 1)[0] || "Photo";
  const image = kept ?? h("img", { class: "photo", src: row.photo, width: row.photo_width, height: row.photo_height });
  image.alt = words;
  const open = () => showPicture(row.photo, words);
  return h("button", { type: "button", class: "picture", onclick: open, dataset: { place: "picture" }, "aria-label": `Enlarge: ${words}` }, image);
}

function text(row, context) {
  if (!row.html) return null;
  const element = h("div", { class: "text", dir: "auto" });
  element.innerHTML = row.html; // escaped by the sandbox: only its own tags
  for (const block of element.querySelectorAll("pre, blockquote")) dropNewline(block.nextSibling);
  for (const code of element.querySelectorAll("code, pre")) {
    if (code.closest("pre") !== code && code.closest("pre")) continue;
    code.tabIndex = 0;
    code.setAttribute("role", "button");
    code.title = "Copy";
    code.dataset.copy = "";
  }
  for (const active of element.querySelectorAll(".bot-command, .spoiler")) {
    active.tabIndex = 0;
    active.setAttribute("role", "button");
  }
  element.append(meta(row, context));
  return element;
}

/** A block ends its line already: the newline after it would be an empty one. */
function dropNewline(node) {
  if (node?.nodeType === Node.TEXT_NODE) node.data = node.data.replace(/^\n/, "");
}

/** As in Telegram, a bot's message with buttons does not say that it was edited. */
function meta(row, { me }) {
  const showsEdit = row.edited && !(row.from_bot && row.reply_markup?.inline_keyboard);
  return h(
    "span",
    { class: "meta" },
    showsEdit ? "edited " : "",
    h("time", { datetime: new Date(row.date * 1000).toISOString() }, timeOfDay(row.date)),
    row.from_id === me ? icon("ticks") : null,
  );
}

function inlineKeyboard(row) {
  const rows = row.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  const lines = rows.map((buttons, y) => h("div", { class: "row" }, buttons.map((button, x) => inlineButton(button, `${y}:${x}`))));
  return h("div", { class: "keyboard" }, lines);
}

/** Telegram takes "example.com" for a link, too. */
const withScheme = (link) => (/^[a-z][\w+.-]*:/i.test(link) ? link : `http://${link}`);

function inlineButton(button, place) {
  const link = button.url ?? button.web_app?.url ?? button.login_url?.url;
  const look = button.style ? `key ${button.style}` : "key";
  if (link) {
    return h("a", { class: look, href: withScheme(link), target: "_blank", rel: "noopener", dataset: { place } }, button.text, icon("out"));
  }
  if (button.copy_text) {
    const put = () => copy(button.copy_text.text);
    return h("button", { type: "button", class: look, onclick: put, dataset: { place } }, button.text, icon("copy"));
  }
  const query = button.switch_inline_query_current_chat ?? button.switch_inline_query;
  const dataset = { place };
  if (query !== undefined) dataset.query = query;
  if (button.callback_data !== undefined) dataset.data = button.callback_data;
  return h("button", { type: "button", class: look, dataset }, button.text);
}
