// A field that takes any text and suggests known ones: what is typed narrows the list, Enter or Tab takes the suggestion that is marked,
// Escape leaves what was typed. Without it the browser shows the list in its own way.
(function () {
  "use strict";
  var longest = 8, id = 0;

  function Suggest(input) {
    var known = Array.from(input.list.options).map(function (option) { return option.value; });
    var list = document.createElement("ul"), chosen = -1;
    list.id = "suggestions-" + ++id;
    list.className = "new-people";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0] ? input.labels[0].textContent : "");
    input.insertAdjacentElement("afterend", list);
    input.removeAttribute("list");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);

    function close() {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function mark(i) {
      var all = Array.from(list.children);
      chosen = (i + all.length) % all.length;
      all.forEach(function (one, at) { one.setAttribute("aria-selected", String(at === chosen)); });
      all[chosen].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", all[chosen].id);
    }
    // Those that begin with what is typed come first. Nothing typed marks nothing, so that Enter takes nothing unasked.
    function show() {
      var typed = input.value.trim().toLowerCase();
      function at(one) { return one.toLowerCase().indexOf(typed); }
      var found = known.filter(function (one) { return at(one) >= 0; });
      found = found.filter(function (one) { return at(one) === 0; }).concat(found.filter(function (one) { return at(one) > 0; })).slice(0, longest);
      close();
      if (document.activeElement !== input || !found.length || found.length === 1 && found[0] === input.value) return;
      list.textContent = "";
      found.forEach(function (one, i) {
        var option = document.createElement("li");
        option.id = list.id + "-" + i;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = one;
        list.appendChild(option);
      });
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      if (typed) mark(0);
    }
    function take(option) {
      input.value = option.textContent;
      close();
      input.dispatchEvent(new Event("input", { bubbles: true }));
      close();
    }

    input.addEventListener("input", function (event) { if (!event.isComposing) show(); });
    input.addEventListener("compositionend", show);
    input.addEventListener("focus", function () { if (!input.value) show(); });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", function (event) {
      if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      if (list.hidden) {
        if (event.key === "ArrowDown") { event.preventDefault(); show(); }
        return;
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        mark(event.key === "ArrowDown" ? chosen + 1 : Math.max(chosen, 0) - 1);
      } else if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        close();
      } else if (chosen >= 0 && (event.key === "Enter" || event.key === "Tab" && !event.shiftKey)) {
        take(list.children[chosen]);
        if (event.key === "Tab") return;
        event.preventDefault();
        input.dispatchEvent(new CustomEvent("suggest:taken", { bubbles: true }));
      }
    });
    list.addEventListener("mousedown", function (event) {
      event.preventDefault();
      if (event.target.closest("[role=option]")) take(event.target.closest("[role=option]"));
    });
  }

  document.querySelectorAll("input[data-suggest][list]").forEach(function (input) { if (input.list) Suggest(input); });
})();
