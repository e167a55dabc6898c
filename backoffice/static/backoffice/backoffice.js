"use strict";

// A chosen photo is shown at once, before it is saved.
const previewPhoto = (box) => {
  const image = box.querySelector("[data-photo-preview]");
  const input = box.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    const file = input.files[0];
    if (!file) return;
    image.src = URL.createObjectURL(file);
    image.hidden = false;
    const remove = box.querySelector("input[type=checkbox]");
    if (remove) remove.checked = false;
  });
};

// What was typed never comes back from the server, so a refusal must not clear the page.
const keepWhatWasTyped = (form) => {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    const errors = form.querySelector("[data-stock-errors]");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        redirect: "manual",
        credentials: "same-origin",
      });
      if (answer.type === "opaqueredirect") {
        window.location.assign(form.dataset.done);
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const said = page.querySelector("[data-stock-errors]");
      if (!said) throw new Error(`status ${answer.status}`);
      errors.replaceChildren(...said.children);
    } catch {
      const line = document.createElement("p");
      line.className = "qc-error";
      line.textContent = "That did not arrive. Please check your connection and try again.";
      errors.replaceChildren(line);
    }
    errors.scrollIntoView({ block: "center" });
    button.disabled = false;
  });
};

const fillIn = (button) => {
  button.addEventListener("click", () => {
    document.querySelector("#id_username").value = button.dataset.username;
    document.querySelector("#id_password").value = button.dataset.password;
  });
};

document.addEventListener("DOMContentLoaded", () => {
  // unfold writes a chosen file's name into a text field beside it, which these do not have.
  document.querySelectorAll("[data-photo] [type=file], [data-stock-form] [type=file]").forEach((input) => {
    input.hasChangeListener = true;
  });
  document.querySelectorAll("[data-photo]").forEach(previewPhoto);
  document.querySelectorAll("[data-stock-form]").forEach(keepWhatWasTyped);
  document.querySelectorAll("[data-demo-login]").forEach(fillIn);
});
