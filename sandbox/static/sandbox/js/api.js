/** The driving API of the sandbox. Every function rejects with an Error that can be shown. */

async function call(method, path, body, signal) {
  const options = { method, signal, headers: { Accept: "application/json" } };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(`/sandbox/${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The shop does not answer. Is script/server still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? answer.message ?? `The sandbox answered ${response.status}.`);
  return answer;
}

const get = (path, signal) => call("GET", path, undefined, signal);
const post = (path, body = {}) => call("POST", path, body);
const remove = (path) => call("DELETE", path);

/** `seen` is [chat id, last message id seen] per chat; `also` a chat that must be among them. */
export const inbox = ({ seen = [], also = null } = {}) => {
  const query = new URLSearchParams();
  if (seen.length) query.set("seen", seen.map((each) => each.join(":")).join(","));
  if (also) query.set("also", also);
  return get(`api/inbox/?${query}`);
};
export const createUser = (details) => post("api/users/", details);
export const setBlocked = (userId, isBlocked) => post(`api/users/${userId}/${isBlocked ? "block" : "unblock"}/`);
export const reset = () => post("api/reset/");

export const newest = (chatId, limit, signal) => get(`api/chats/${chatId}/messages/?after=0&limit=${limit}`, signal);
export const changes = (chatId, after, signal) => get(`api/chats/${chatId}/messages/?after=${after}`, signal);
export const earlier = (chatId, before, limit, signal) =>
  get(`api/chats/${chatId}/messages/?before=${before}&limit=${limit}`, signal);
export const send = (chatId, message) => post(`api/chats/${chatId}/messages/`, message);
export const press = (chatId, messageId, fromId, data) =>
  post(`api/chats/${chatId}/messages/${messageId}/press/`, { from_id: fromId, data });
export const callback = (id) => get(`api/callbacks/${id}/`);
export const commands = (chatId, language) => get(`api/commands/?chat_id=${chatId}&language_code=${language}`);

export const transactions = (limit) => get(`pakasir/api/transactions/?limit=${limit}`);
export const pay = (txnId, webhook) => post(`pakasir/transactions/${txnId}/pay/`, { webhook });

export const calls = (after) => get(`api/calls/?after=${after}&limit=200`);
export const telegramFaults = () => get("api/faults/");
export const orderTelegramFault = (fault) => post("api/faults/", fault);
export const cancelTelegramFault = (id) => remove(`api/faults/${id}/`);
export const gatewayFaults = () => get("pakasir/api/faults/");
export const orderGatewayFault = (fault) => post("pakasir/api/faults/", fault);
export const cancelGatewayFault = (id) => remove(`pakasir/api/faults/${id}/`);
export const limits = () => get("api/limits/");
export const setLimits = (on) => post("api/limits/", { on });
