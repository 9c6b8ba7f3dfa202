// Answers of agencies as they come in: asks for the page again and takes over what it says.
"use strict";
(() => {
  const place = () => document.getElementById("langsung");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  async function take(answer) {
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("langsung");
    if (!found) throw new Error("no answers");
    place().replaceWith(document.importNode(found, true));
  }

  async function follow() {
    let faults = 0;
    while (place() && place().dataset.next && faults < 5) {
      try {
        await take(await fetch(place().dataset.next, { credentials: "same-origin" }));
        faults = 0;
      } catch {
        faults += 1;
        await pause(2000 * faults);
      }
    }
  }

  const form = document.getElementById("tanya");
  if (form) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      try {
        const body = new URLSearchParams(new FormData(form));
        await take(await fetch(form.action, { method: "POST", body, credentials: "same-origin" }));
        await follow();
      } catch {
        form.submit();
      }
      button.disabled = false;
    });
  }
  follow();
})();
