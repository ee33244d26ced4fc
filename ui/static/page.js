// What the page does in the browser: open what a footnote points to, show its quote, move focus,
// tell a screen reader, copy. Everything on the page was escaped by the server; this file makes no
// markup from text. One listener per event on the document, because Gradio replaces the elements.
(() => {
  "use strict";

  const phone = matchMedia("(max-width: 860px)");
  const find = (selector) => document.querySelector(selector);
  let opener = null; // what the open source was opened with, to go back to
  let opened = 0; // makes two requests for the same passage differ
  let shown = null; // the content of the source pane, to tell a new one from Gradio's own changes

  // --- opening a source ---

  function open(button) {
    const reference = [...button.classList].find((name) => name.startsWith("open-"));
    if (!button.closest("#source")) opener = button;
    for (const old of document.querySelectorAll(".current")) old.classList.remove("current");
    for (const same of document.getElementsByClassName(reference)) same.classList.add("current");
    fill(find("#wanted textarea"), `${reference}#${(opened += 1)}`);
    showSheet();
  }

  function fill(field, text) {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function showSheet() {
    if (!phone.matches || document.body.classList.contains("source-open")) return;
    document.body.classList.add("source-open");
    find("#chat").inert = true;
    history.pushState({ source: true }, ""); // so that the phone's own Back closes the sheet
  }

  function hideSheet() {
    document.body.classList.remove("source-open");
    find("#chat").inert = false;
    if (opener?.isConnected) opener.focus();
  }

  function back() {
    const shown = document.body.classList.contains("source-open");
    hideSheet();
    if (shown && history.state?.source) history.back(); // a second tap must not leave the page
  }

  function sourceChanged() {
    const section = find("#source section");
    if (!section || section === shown) return;
    shown = section;
    if (!opened || section.matches(".unasked")) return;
    const heading = find("#source h2");
    const lit = find("#source mark");
    const text = find("#source .text");
    if (lit) {
      const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
      const middle = lit.offsetTop - text.offsetTop - Math.max(24, (text.clientHeight - lit.offsetHeight) / 3);
      text.scrollTo({ top: middle, behavior: smooth && text.scrollTop ? "smooth" : "instant" });
      lit.focus({ preventScroll: true });
    } else {
      heading.focus({ preventScroll: true });
    }
    const where = lit ? ", at the passage quoted. Escape goes back to the answer." : ".";
    announce(`Opened ${heading.textContent}${where}`);
  }

  // --- the conversation ---

  let latest = "";

  function latestChanged() {
    const turn = find("#latest .turn");
    const state = turn ? turn.id + turn.className : "";
    if (state === latest) return;
    if (turn && !latest.startsWith(`${turn.id}turn`)) questionToTop();
    latest = state;
    if (turn?.classList.contains("running")) announce("Looking for an answer.");
    else if (turn) announce([...turn.querySelectorAll(".answer, .state")].map(spoken).join(" "));
    describeFootnotes();
  }

  // In the next frame, and looked up then: by that time Gradio may have replaced the turn.
  function questionToTop() {
    requestAnimationFrame(() => find("#latest .turn")?.scrollIntoView({ block: "start" }));
  }

  function spoken(element) {
    const copy = element.cloneNode(true);
    for (const hidden of copy.querySelectorAll(".quote")) hidden.remove();
    for (const mark of copy.querySelectorAll(".footnote")) mark.replaceWith(` (${mark.textContent.split(" opens ")[0]}) `);
    return copy.textContent;
  }

  // Gradio's sanitiser takes every aria attribute away, so they are put on here.
  function describeFootnotes() {
    document.querySelectorAll("button.footnote + .quote").forEach((quote, index) => {
      quote.id = `quote-${index}`;
      quote.previousElementSibling.setAttribute("aria-describedby", quote.id);
    });
  }

  function announce(text) {
    find("#announcer").textContent = text;
  }

  // --- the quote beside a footnote ---

  function showQuote(button) {
    const tip = find("#quote-tip");
    tip.replaceChildren(...(button.nextElementSibling?.cloneNode(true).childNodes ?? []));
    tip.hidden = false;
    const at = button.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
    const above = at.top - tip.offsetHeight - 6;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 6}px`;
  }

  function hideQuote() {
    find("#quote-tip").hidden = true;
  }

  // --- copying ---

  async function copy(button) {
    const text = button.parentElement.querySelector(".plain").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text); // the clipboard needs https or localhost
    }
    button.textContent = "Copied";
    announce("Copied.");
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }

  function copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // --- wiring ---

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.matches(".footnote, .open")) open(button);
    else if (button.matches(".back")) back();
    else if (button.matches(".copy")) copy(button);
    else if (button.matches(".show-source")) {
      opener = button;
      showSheet();
      find("#source h2")?.focus();
    } else if (button.matches(".starter")) {
      fill(find("#question textarea"), button.textContent);
      find("#ask").click();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (!find("#quote-tip").hidden) hideQuote();
    else if (document.body.classList.contains("source-open")) back();
    else if (event.target.closest?.("#source") && opener?.isConnected) opener.focus();
  });

  for (const [show, hide] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(show, (event) => {
      const button = event.target.closest?.("button.footnote");
      if (button) showQuote(button);
    });
    document.addEventListener(hide, (event) => {
      const next = event.relatedTarget;
      if (event.target.closest?.("button.footnote, #quote-tip") && !next?.closest?.("#quote-tip")) hideQuote();
    });
  }

  addEventListener("popstate", hideSheet);
  phone.addEventListener("change", () => phone.matches || hideSheet());

  function add(id, role) {
    const element = document.createElement("div");
    element.id = id;
    element.setAttribute("role", role);
    document.body.append(element);
    return element;
  }

  function watch(element, changed) {
    new MutationObserver(changed).observe(element, { childList: true, subtree: true, characterData: true });
  }

  function start() {
    if (!find("#latest") || !find("#source") || !find("#question textarea")) return false;
    add("announcer", "status");
    add("quote-tip", "tooltip").hidden = true;
    for (const [id, name] of [["scroll", "Conversation"], ["source", "Source"]]) {
      find(`#${id}`).setAttribute("role", "region");
      find(`#${id}`).setAttribute("aria-label", name);
    }
    if (!phone.matches) find("#question textarea").focus(); // on a phone it would raise the keyboard
    watch(find("#latest"), latestChanged);
    watch(find("#earlier"), questionToTop); // which pushes the latest turn down
    watch(find("#source"), sourceChanged);
    return true;
  }

  const waiting = new MutationObserver(() => start() && waiting.disconnect());
  waiting.observe(document.documentElement, { childList: true, subtree: true });
})();
