// The keys of the console. An element with data-key="e" is clicked by that key, or focused if one types into it; "g m" are two keys in
// turn. The same things stand on the page as links and buttons.
(function () {
  "use strict";
  var fixed = { c: "/desk/new", "/": "/desk/search", "g m": "/desk?queue=mine", "g u": "/desk?queue=unassigned", "g o": "/desk?queue=overdue" };
  if (!document.querySelector('.doors a[href="/desk"]')) delete fixed.c; // who looks on takes no calls
  var first = "", firstAt = 0;

  function typing(target) {
    return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
      (target.tagName === "INPUT" && !/^(checkbox|radio|button|submit|reset|file|color|range)$/.test(target.type));
  }
  function seen(node) { return node.getClientRects().length > 0; }
  function find(key) {
    return Array.prototype.filter.call(document.querySelectorAll("[data-key]"), function (node) {
      return node.getAttribute("data-key") === key && !node.disabled && !node.hasAttribute("aria-disabled") && seen(node);
    })[0];
  }

  // rows are those of the page's list; a row is where its link has the focus.
  function rows() { return Array.prototype.filter.call(document.querySelectorAll(".list a.open"), seen); }
  function present() {
    var row = document.activeElement && document.activeElement.closest("tr");
    return row && row.querySelector("a.open");
  }
  function move(by) {
    var all = rows(), at = all.indexOf(present());
    if (!all.length) return false;
    var next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    all[next].focus();
    all[next].closest("tr").scrollIntoView({ block: "nearest" });
    return true;
  }
  function box() {
    var link = present();
    return link && link.closest("tr").querySelector("td.pick input");
  }
  var own = {
    j: function () { return move(1); },
    k: function () { return move(-1); },
    o: function () { var link = present(); if (link) link.click(); return !!link; },
    x: function () { var pick = box(); if (pick) pick.click(); return !!pick; },
    a: function () { // with nothing chosen, the row that one stands on is taken
      var pick = box();
      if (pick && !document.querySelector("td.pick input:checked")) pick.click();
      return false;
    },
    "?": function () { help(); return true; }
  };

  function press(key) {
    if (own[key] && own[key]()) return true;
    var node = find(key);
    if (node) {
      node.focus();
      if (typing(node)) { if (node.select) node.select(); } else node.click();
      return true;
    }
    if (!fixed[key]) return false;
    location.assign(fixed[key]);
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector(".overlay") || /^(Shift|CapsLock)$/.test(event.key)) return;
    var key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (first && Date.now() - firstAt < 1500) key = first + " " + key;
    first = "";
    if (key === "g") {
      first = key;
      firstAt = Date.now();
    } else if (press(key)) event.preventDefault();
  });

  // The help over the page. Without it, /desk/keys is a page of its own.
  function help() {
    var before = document.activeElement;
    fetch("/desk/keys", { headers: { "HX-Request": "true" } }).then(function (answer) {
      return answer.ok ? answer.text() : Promise.reject();
    }).then(function (html) {
      if (!document.querySelector(".overlay")) show(html, before);
    }).catch(function () { location.assign("/desk/keys"); });
  }
  function show(html, before) {
    var shade = document.createElement("div"), panel = document.createElement("div"), close = document.createElement("button");
    shade.className = "overlay";
    panel.className = "overlay-panel";
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-modal", "true");
    panel.setAttribute("aria-labelledby", "keys-title");
    panel.tabIndex = -1;
    panel.innerHTML = html;
    close.type = "button";
    close.className = "btn overlay-close";
    close.textContent = panel.querySelector("#keys-title").getAttribute("data-close");
    panel.appendChild(close);
    shade.appendChild(panel);
    document.body.appendChild(shade);
    function end() {
      shade.remove();
      if (before && before.focus) before.focus();
    }
    close.addEventListener("click", end);
    shade.addEventListener("click", function (event) { if (event.target === shade) end(); });
    shade.addEventListener("keydown", function (event) {
      if (event.key === "Escape" || event.key === "?") {
        event.stopPropagation();
        event.preventDefault();
        end();
      } else if (event.key === "Tab") { // the button is all that takes the focus in there
        event.preventDefault();
        close.focus();
      }
    });
    close.focus({ preventScroll: true }); // one reads from the top
  }
})();
