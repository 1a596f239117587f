// Taking a call down by keyboard alone: who calls is found while the number is typed. Without it the form is filled in by hand.
(function () {
  "use strict";
  var form = document.getElementById("call"), list = document.getElementById("new-people"), known = document.getElementById("new-known");
  if (!form || !list) return;
  var count = document.getElementById("new-people-count");
  var input = null, chosen = -1, asked = 0, putting = false, timer;

  // handled keeps a key from doing what the browser would: also in the field that it has led to, for programs that type for people send
  // the character besides the key.
  var swallow = false;
  function handled(event) {
    event.preventDefault();
    swallow = event.key === "Enter";
  }
  form.addEventListener("keypress", function (event) { if (swallow && event.key === "Enter") event.preventDefault(); });
  document.addEventListener("keyup", function () { swallow = false; });

  function field(name) { return form.elements["requester." + name]; }
  function options() { return Array.from(list.children); }
  function open() { return !list.hidden; }

  function close() {
    list.hidden = true;
    chosen = -1;
    if (!input) return;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function choose(i) {
    var all = options();
    if (!all.length) return;
    chosen = (i + all.length) % all.length;
    all.forEach(function (option, at) { option.setAttribute("aria-selected", String(at === chosen)); });
    all[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[chosen].id);
  }
  // part fetches a part of a page; what comes late, after another one was asked for, is not shown.
  function part(path, show) {
    fetch(path, { headers: { "HX-Request": "true" }, credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; }, function () { return ""; })
      .then(show);
  }
  // place is the field at which people who were looked for are shown: or an empty one, for who was quicker than the answer.
  function place(from) {
    var at = document.activeElement;
    return at === from || at && at.hasAttribute("data-people") && !at.value ? at : null;
  }
  function look(from) {
    var search = from.value.trim(), mine = ++asked;
    if (search.length < (/^[\d +()-]*$/.test(search) ? 3 : 1)) return close();
    part("/desk/new/people?search=" + encodeURIComponent(search), function (found) {
      from = place(from);
      if (mine !== asked || !from) return;
      input = from;
      list.innerHTML = found;
      var all = options();
      if (!all.length) return close();
      from.parentNode.appendChild(list);
      list.hidden = false;
      from.setAttribute("aria-expanded", "true");
      count.textContent = count.dataset.found.replace("{count}", all.length);
      choose(0);
    });
  }

  function put(name, value) {
    if (!field(name)) return;
    field(name).value = value;
    putting = true;
    field(name).dispatchEvent(new Event("input", { bubbles: true }));
    putting = false;
  }
  function take(option) {
    var said = option.dataset;
    asked++;
    close();
    if ("organisation" in said) {
      put("unit", said.name);
      field("name").focus();
      return;
    }
    ["name", "unit", "phone", "email"].forEach(function (name) { put(name, said[name]); });
    identify(said.id);
    form.elements.application.focus();
  }
  // identify says whose record it is, "" for nobody's.
  function identify(id) {
    put("id", id);
    document.getElementById("new-register").hidden = !!id;
    known.textContent = "";
    if (id) part("/desk/new/known?id=" + encodeURIComponent(id), showKnown);
  }
  function showKnown(text) {
    known.innerHTML = text;
    var forget = known.querySelector("[data-forget]");
    if (!forget) return;
    forget.hidden = false;
    forget.addEventListener("click", function () {
      identify("");
      ["name", "unit", "phone", "email"].forEach(function (name) { put(name, ""); });
      field("phone").focus();
    });
  }

  Array.from(form.querySelectorAll("[data-people]")).forEach(function (one) {
    one.setAttribute("role", "combobox");
    one.setAttribute("aria-autocomplete", "list");
    one.setAttribute("aria-expanded", "false");
    one.setAttribute("aria-controls", list.id);
    one.addEventListener("input", function (event) {
      if (putting || event.isComposing) return;
      if (field("id").value && one.name === "requester.name") identify("");
      clearTimeout(timer);
      timer = setTimeout(function () { look(one); }, 150);
    });
    one.addEventListener("compositionend", function () { timer = setTimeout(function () { look(one); }, 150); });
    one.addEventListener("blur", function () { setTimeout(function () { if (document.activeElement !== one && input === one) close(); }, 150); });
    one.addEventListener("keydown", function (event) {
      if (event.isComposing || input !== one || !open()) return;
      var does = {
        ArrowDown: function () { choose(chosen + 1); }, ArrowUp: function () { choose(chosen - 1); },
        Enter: function () { take(options()[chosen]); }, Escape: close
      }[event.key];
      if (!does) return;
      handled(event);
      event.stopPropagation();
      does();
    });
  });
  list.addEventListener("mousedown", function (event) {
    var option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });

  // Enter goes on to the next field until there is a title, and saves from then on. A suggestion that was taken goes on too.
  function goOn(from) {
    var fields = Array.from(form.querySelectorAll("input:not([type=hidden]):not([type=file]):not([type=checkbox]), textarea, select"))
      .filter(function (one) { return one.offsetParent; });
    var next = fields[fields.indexOf(from) + 1];
    if (next && from !== form.elements.title) next.focus();
  }
  form.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || event.ctrlKey || !/^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    if (/^(checkbox|file)$/.test(event.target.type) || form.elements.title.value.trim() || form.elements.template && form.elements.template.value) return;
    handled(event);
    goOn(event.target);
  });
  form.addEventListener("suggest:taken", function (event) {
    swallow = true;
    goOn(event.target);
  });

  // A form is sent once: a second press while it is under way does nothing.
  form.addEventListener("submit", function (event) {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "true";
    setTimeout(function () { delete form.dataset.sent; }, 10000);
  });
  window.addEventListener("pageshow", function () { delete form.dataset.sent; });
  if (field("id").value) showKnown(known.innerHTML);
  var wrong = form.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
  // Whoever was quicker than the script is not left waiting.
  var early = document.activeElement;
  if (early && early.hasAttribute("data-people") && early.value && !field("id").value) look(early);
})();
