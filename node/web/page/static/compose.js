// Forms that people write in: files by choosing, pasting and dropping, and drafts that outlive a reload, an expired session and an
// answer that refuses; files outlive the latter. A form without it works too, and keeps what the server keeps.
//
//   form[data-compose]   takes files wherever they are pasted or dropped, and is sent by Ctrl+Enter in a text of several lines.
//   [data-files]         the list of files, made by the template "files".
//   [data-draft=KEY]     a field whose text is kept until its form was taken: the server says so by a cookie with the form's "request".
(function () {
  "use strict";

  // ---- Files

  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) { return name in values ? values[name] : whole; });
  }
  function sizeText(bytes) {
    if (bytes < 1024) return bytes + " B";
    if (bytes < 1048576) return Math.round(bytes / 1024) + " KB";
    return (bytes / 1048576).toFixed(1) + " MB";
  }
  function two(n) { return ("0" + n).slice(-2); }

  // A pasted picture has no name of its own: it gets the time.
  function named(file, word) {
    if (file.name && !/^image\.\w+$/.test(file.name)) return file;
    var now = new Date(), kind = (file.type.split("/")[1] || "png").replace("jpeg", "jpg").replace(/[^a-z0-9].*$/, "");
    var stamp = now.getFullYear() + two(now.getMonth() + 1) + two(now.getDate()) + "-" + two(now.getHours()) + two(now.getMinutes()) + two(now.getSeconds());
    return new File([file], word + "-" + stamp + "." + kind, { type: file.type });
  }

  function Files(box) {
    this.box = box;
    this.input = box.querySelector(".files-input");
    this.list = box.querySelector(".files-list");
    this.problem = box.querySelector(".files-problem");
    this.words = box.querySelector(".files-words").dataset;
    this.kept = [];
    this.pictures = [];
    var self = this;
    this.input.addEventListener("change", function () { self.add(Array.from(self.input.files)); });
    if (this.input.form) this.input.form.addEventListener("reset", function () { setTimeout(function () { self.clear(); }); });
    box.classList.add("ready");
    if (this.input.files.length) this.add(Array.from(this.input.files));
    this.takeBack();
  }
  Files.prototype.add = function (files) {
    var most = Number(this.box.dataset.maxFiles), largest = Number(this.box.dataset.maxSize), refused = [];
    files.forEach(function (file) {
      var values = { name: file.name, limit: most };
      if (file.size > largest) {
        values.limit = largest / 1048576;
        refused.push(fill(this.words.large, values));
      } else if (file.size === 0) {
        refused.push(fill(this.words.empty, values));
      } else if (this.kept.length >= most) {
        refused.push(fill(this.words.many, values));
      } else {
        this.kept.push(named(file, this.words.shot));
      }
    }, this);
    this.problem.textContent = refused.join("\n");
    this.problem.hidden = !refused.length;
    this.show();
  };
  Files.prototype.clear = function () {
    this.kept = [];
    this.problem.hidden = true;
    this.show();
  };
  // show makes the input hold what the list shows.
  Files.prototype.show = function () {
    var all = new DataTransfer(), list = this.list, self = this;
    this.pictures.forEach(function (address) { URL.revokeObjectURL(address); });
    this.pictures = [];
    list.textContent = "";
    this.kept.forEach(function (file, i) {
      all.items.add(file);
      list.appendChild(self.row(file, i));
    });
    this.input.files = all.files;
    list.hidden = !this.kept.length;
  };
  Files.prototype.row = function (file, i) {
    var row = document.createElement("li"), self = this;
    if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
      var picture = document.createElement("img");
      picture.alt = "";
      picture.src = URL.createObjectURL(file);
      this.pictures.push(picture.src);
      row.appendChild(picture);
    }
    [["files-name", file.name], ["files-size", sizeText(file.size)]].forEach(function (part) {
      var span = document.createElement("span");
      span.className = part[0];
      span.textContent = part[1];
      row.appendChild(span);
    });
    var remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", fill(this.words.remove, { name: file.name }));
    remove.addEventListener("click", function () {
      self.kept.splice(i, 1);
      self.problem.hidden = true;
      self.show();
      var next = self.list.querySelectorAll("button")[Math.min(i, self.kept.length - 1)];
      (next || self.input).focus();
    });
    row.appendChild(remove);
    return row;
  };

  // takeBack gets the files back that were sent with the form when it was refused.
  Files.prototype.takeBack = function () {
    var form = this.input.form, request = form && form.elements.request, again = this.box.querySelector(".files-again"), self = this;
    if (!again || !request) return;
    onShelf("readwrite", function (shelf) {
      var found = shelf.get(request.value);
      found.onsuccess = function () {
        if (!found.result) return;
        shelf.delete(request.value);
        again.remove();
        self.add(found.result.files);
      };
    });
  };

  // ---- Files that are being sent: no page takes those of another one, so they lie on a shelf of the browser until the answer has come.

  var shelfName = "tierdesk-sent-files", shelfTime = 3600 * 1000;

  // onShelf lets something be done with the shelf and promises when that is over, also when the browser keeps nothing.
  function onShelf(mode, does) {
    return new Promise(function (over) {
      try {
        var asked = indexedDB.open(shelfName, 1);
        asked.onupgradeneeded = function () { asked.result.createObjectStore("sent"); };
        asked.onerror = over;
        asked.onblocked = over;
        asked.onsuccess = function () {
          var change = asked.result.transaction("sent", mode);
          change.oncomplete = change.onerror = change.onabort = function () { asked.result.close(); over(); };
          does(change.objectStore("sent"));
        };
      } catch (e) { over(); }
    });
  }
  // clearShelf takes away what the server has taken, and what has lain there for an hour.
  function clearShelf(taken) {
    return onShelf("readwrite", function (shelf) {
      if (taken) shelf.delete(taken);
      var row = shelf.openCursor();
      row.onsuccess = function () {
        if (!row.result) return;
        if (Date.now() - row.result.value.at > shelfTime) row.result.delete();
        row.result.continue();
      };
    });
  }
  // keepSent puts the files of a form on the shelf before the form goes.
  function keepSent(form) {
    var ready = false;
    form.addEventListener("submit", function (event) {
      var files = filesOf(form), request = form.elements.request, submitter = event.submitter;
      if (ready || event.defaultPrevented || !files || !files.kept.length || !request || !window.indexedDB) {
        ready = false;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation(); // for the others the form goes when it goes
      if (form.composeLeaving) return;
      form.composeLeaving = true;
      var kept = onShelf("readwrite", function (shelf) { shelf.put({ at: Date.now(), files: files.kept }, request.value); });
      Promise.race([kept, new Promise(function (over) { setTimeout(over, 5000); })]).then(function () {
        ready = true;
        form.composeLeaving = false;
        form.requestSubmit(submitter || undefined);
      });
    });
  }

  function filesOf(form) {
    var box = form.querySelector("[data-files]");
    return box && box.composeFiles;
  }
  function carriesFiles(event) {
    return event.dataTransfer && Array.from(event.dataTransfer.types).indexOf("Files") >= 0;
  }
  function takeFiles(form) {
    form.addEventListener("paste", function (event) {
      var files = filesOf(form), brought = event.clipboardData ? Array.from(event.clipboardData.files) : [];
      if (!files || !brought.length) return;
      // Office programs copy a text and a picture of it: where a text can be written, the text is what is meant.
      if (event.clipboardData.getData("text/plain") && /^(TEXTAREA|INPUT)$/.test(event.target.tagName)) return;
      event.preventDefault();
      files.add(brought);
    });
    form.addEventListener("dragover", function (event) {
      if (!filesOf(form) || !carriesFiles(event)) return;
      event.preventDefault();
      form.classList.add("dropping");
    });
    form.addEventListener("dragleave", function (event) {
      if (!form.contains(event.relatedTarget)) form.classList.remove("dropping");
    });
    form.addEventListener("drop", function (event) {
      form.classList.remove("dropping");
      if (!filesOf(form) || !carriesFiles(event)) return;
      event.preventDefault();
      filesOf(form).add(Array.from(event.dataTransfer.files));
    });
    form.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.tagName === "TEXTAREA" && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
  }

  // ---- Drafts

  var keepFor = 14 * 24 * 3600 * 1000, mostDrafts = 50, longest = 65536;
  var user = document.body.dataset.user;
  var prefix = "tierdesk:draft:" + (user || "") + ":";
  // What a guest writes goes when the window is closed: the machine may be anybody's.
  var store = null;
  try { store = user ? window.localStorage : window.sessionStorage; } catch (e) { /* the browser keeps nothing */ }

  function read(key) {
    try { return JSON.parse(store.getItem(key)); } catch (e) { return null; }
  }
  function write(key, draft) {
    try { store.setItem(key, JSON.stringify(draft)); } catch (e) { /* no room: the form itself still has the text */ }
  }
  function keys() {
    var found = [];
    for (var i = 0; store && i < store.length; i++) {
      if (store.key(i).indexOf("tierdesk:draft:") === 0) found.push(store.key(i));
    }
    return found;
  }
  function forget(key) { store.removeItem(key); }

  // forgetOld keeps the newest drafts, and none for longer than fourteen days.
  function forgetOld() {
    var now = Date.now();
    keys().map(function (key) { return { key: key, at: (read(key) || { at: 0 }).at }; })
      .sort(function (a, b) { return b.at - a.at; })
      .forEach(function (draft, i) { if (i >= mostDrafts || now - draft.at > keepFor) forget(draft.key); });
  }
  // forgetSent forgets the drafts of the form that the server has taken.
  function forgetSent() {
    var found = /(?:^|; )tierdesk_sent=([^;]+)/.exec(document.cookie);
    if (!found) return;
    // The next page may already be on its way: what this one does not finish, that one begins again.
    var over = window.indexedDB ? clearShelf(found[1]) : Promise.resolve();
    over.then(function () {
      if (document.cookie.indexOf(found[0].replace(/^; /, "")) >= 0) document.cookie = "tierdesk_sent=; path=/; max-age=0";
    });
    keys().forEach(function (key) {
      if ((read(key) || {}).request === found[1]) forget(key);
    });
    fields(document).forEach(function (field) { if (requestOf(field) === found[1]) field.composeSent = true; });
  }

  function requestOf(field) {
    var request = field.form && field.form.elements.request;
    return request ? request.value : "";
  }
  function keep(field, request) {
    var key = prefix + field.dataset.draft;
    if (field.composeSent) return;
    if (!field.value) return forget(key);
    write(key, { text: field.value.slice(0, longest), at: Date.now(), request: request || "" });
  }
  function keepDraft(field) {
    var key = prefix + field.dataset.draft, draft = read(key), timer;
    // Words that the server shows again, with what is wrong with them, are newer than the draft.
    if (draft && draft.text && !field.defaultValue && (!field.value || field.value === draft.text)) {
      field.value = draft.text;
      field.dataset.restored = "true";
      note(field, key);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    field.addEventListener("input", function () {
      clearTimeout(timer);
      field.composeSent = false;
      timer = setTimeout(function () { keep(field); }, 400);
    });
    field.composeFlush = function (request) { clearTimeout(timer); keep(field, request); };
    if (field.form && !field.form.composeDrafts) {
      field.form.composeDrafts = true;
      field.form.addEventListener("submit", function (event) {
        event.target.composeGone = true;
        fields(event.target).forEach(function (one) { one.composeFlush(requestOf(one)); });
      });
    }
  }
  function fields(root) {
    return Array.from(root.querySelectorAll("[data-draft]")).filter(function (field) { return field.composeFlush; });
  }
  // Who writes while an answer of another kind comes, goes on writing on its page: no key becomes a shortcut there.
  var placeKey = "tierdesk:place", placeTime = 15000;
  function leavePlace() {
    var field = document.activeElement;
    if (!field || !field.composeFlush || field.form && field.form.composeGone) return;
    try { sessionStorage.setItem(placeKey, JSON.stringify({ draft: field.dataset.draft, at: Date.now() })); } catch (e) { /* one looks for it */ }
  }
  function takePlace() {
    var place = null;
    try {
      place = JSON.parse(sessionStorage.getItem(placeKey));
      sessionStorage.removeItem(placeKey);
    } catch (e) { /* the browser keeps nothing */ }
    if (!place || Date.now() - place.at > placeTime || document.activeElement !== document.body) return;
    var field = fields(document).filter(function (one) { return one.dataset.draft === place.draft; })[0];
    if (!field) return;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
  // note says once in a form that a draft is back, and lets it be thrown away.
  function note(field, key) {
    var template = document.getElementById("draft-note"), form = field.form;
    if (!template || !form || form.querySelector(".draft-note")) return;
    field.insertAdjacentElement("afterend", template.content.firstElementChild.cloneNode(true));
    form.querySelector("[data-draft-discard]").addEventListener("click", function () {
      fields(form).forEach(function (one) {
        if (!one.dataset.restored) return;
        one.value = one.defaultValue;
        delete one.dataset.restored;
        one.composeFlush();
        one.dispatchEvent(new Event("input", { bubbles: true }));
      });
      form.querySelector(".draft-note").remove();
      field.focus();
    });
  }

  // ---- Beginning

  function begin(root) {
    function each(selector, does) {
      var found = Array.from(root.querySelectorAll(selector));
      if (root.matches && root.matches(selector)) found.push(root);
      found.forEach(does);
    }
    each("[data-files]", function (box) { if (!box.composeFiles) box.composeFiles = new Files(box); });
    each("form[data-compose]", function (form) { if (!form.composeTakes) { form.composeTakes = true; takeFiles(form); keepSent(form); } });
    if (store) each("[data-draft]", function (field) { if (!field.composeFlush) keepDraft(field); });
  }
  if (store) {
    forgetSent();
    forgetOld();
    document.addEventListener("htmx:afterRequest", forgetSent);
    window.addEventListener("pagehide", function () {
      fields(document).forEach(function (field) { if (document.activeElement === field) field.composeFlush(lastRequest(field)); });
      leavePlace();
    });
    window.addEventListener("pageshow", function () { fields(document).forEach(function (field) { if (field.form) field.form.composeGone = false; }); });
  }
  // lastRequest is the id under which a draft was sent, if it was: what is flushed afterwards must still be known by it.
  function lastRequest(field) {
    return (read(prefix + field.dataset.draft) || {}).request;
  }
  begin(document);
  takePlace();
  if (window.indexedDB && document.querySelector("[data-files]")) clearShelf();
  document.addEventListener("htmx:load", function (event) { begin(event.detail.elt); });
})();
