(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const cards = [...document.querySelectorAll(".card")];
  const large = one("#large"), help = one("#help"), filter = one("#filter"), root = document.documentElement;
  let current = cards[0], viewed = null;

  const shown = () => cards.filter((card) => !card.hidden);
  const store = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* a local page may have no storage; the choice then lasts until the page is closed */ }
    return null;
  };

  // Only one card is in the tab order; the arrow keys move between cards.
  const reach = (card, reachable) => {
    for (const part of card.querySelectorAll("button, a, input")) part.tabIndex = reachable ? 0 : -1;
    card.classList.toggle("current", reachable);
  };
  const choose = (card, focused = true) => {
    if (!card) return;
    if (current) reach(current, false);
    current = card;
    reach(card, true);
    if (focused) {
      one(".view", card).focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }
  };
  const beside = (step) => {
    const all = shown();
    return all[Math.min(all.length - 1, Math.max(0, all.indexOf(current) + step))];
  };
  const inNextRow = (down) => {
    const here = current.getBoundingClientRect();
    const middle = here.left + here.width / 2;
    let best = null, least = Infinity;
    for (const card of shown()) {
      const box = card.getBoundingClientRect();
      const rows = down ? box.top - here.top : here.top - box.top;
      if (rows < 2) continue;
      const distance = rows * 100 + Math.abs(box.left + box.width / 2 - middle);
      if (distance < least) [best, least] = [card, distance];
    }
    return best || current;
  };

  // The headings stick below the bar at the top, whose height depends on the width of the window.
  const bar = one(".top");
  new ResizeObserver(() => root.style.setProperty("--top", `${bar.offsetHeight}px`)).observe(bar);

  // The year of the photos at the top of the window is marked; drawing along the years goes through the photos.
  const years = one(".years"), links = years ? [...years.querySelectorAll("a")] : [];
  if (years) {
    const seen = new IntersectionObserver((entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        for (const link of links) link.ariaCurrent = link.textContent === target.dataset.year ? "true" : null;
      }
    }, { rootMargin: "-30% 0px -69% 0px" });
    for (const section of document.querySelectorAll("section[data-year]")) seen.observe(section);
    const goTo = (event) => {
      const near = links.filter((link) => link.offsetParent).map((link) => [link, link.getBoundingClientRect()]);
      const away = ([, box]) => Math.abs(box.top + box.height / 2 - event.clientY);
      const [link] = near.reduce((best, other) => (away(other) < away(best) ? other : best));
      const year = `section[data-year="${CSS.escape(link.textContent)}"]:not([hidden])`;
      one(year)?.scrollIntoView({ block: "start" });
    };
    years.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      years.setPointerCapture(event.pointerId);
      goTo(event);
    });
    years.addEventListener("pointermove", (event) => { if (years.hasPointerCapture(event.pointerId)) goTo(event); });
  }

  // Selection: the boxes themselves hold what is selected.
  const chosenBar = one(".chosen"), box = (card) => one(".pick", card);
  const chosen = () => cards.filter((card) => box(card).checked);
  let anchor = null;
  const tellChosen = (said) => {
    const number = chosen().length;
    chosenBar.hidden = number === 0;
    root.classList.toggle("choosing", number > 0);
    one("#chosen").textContent = said ?? `${number.toLocaleString("en")} selected`;
    one("#choose").ariaPressed = String(Boolean(viewed && box(viewed).checked));
  };
  const pick = (card, checked = !box(card).checked, whole = false) => {
    const all = shown(), [first, last] = [all.indexOf(anchor), all.indexOf(card)].sort((a, b) => a - b);
    for (const one of whole && first >= 0 ? all.slice(first, last + 1) : [card]) box(one).checked = checked;
    anchor = card;
    tellChosen();
  };
  const pickAll = (checked) => {
    for (const card of checked ? shown() : cards) box(card).checked = checked;
    tellChosen();
  };
  const copy = async (text, what) => {
    const number = chosen().length;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or a browser that gives a local page no clipboard
      const area = document.createElement("textarea"), before = document.activeElement;
      area.value = text;
      area.className = "said";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      before?.focus();
      if (!done) return tellChosen("This browser does not let a page copy");
    }
    return tellChosen(`${what(number)} copied`);
  };
  one("#copy-paths")?.addEventListener("click", () => {
    const paths = chosen().map((card) => one(".path dd", card)?.title).filter(Boolean);
    copy(paths.join("\n"), () => (paths.length === 1 ? "1 path" : `${paths.length.toLocaleString("en")} paths`));
  });
  one("#copy-query").addEventListener("click", () => {
    copy(`id:${chosen().map((card) => card.dataset.photo).join(",")}`, (number) => `Query for ${number.toLocaleString("en")}`);
  });
  one("#choose-all").addEventListener("click", () => pickAll(true));
  one("#choose-none").addEventListener("click", () => {
    pickAll(false);
    choose(current);
  });

  // A copy is compared with the photo that is kept of its group: beside it, in turn with it, or as the difference.
  const stage = one(".stage", large), modes = one(".modes", large), still = matchMedia("(prefers-reduced-motion: reduce)");
  let mode = "beside";
  const keptBeside = (card) => {
    const kept = one(".card.keep", card.closest("section"));
    return kept && kept !== card && one(".view img", kept) && one(".view img", card) ? kept : null;
  };
  const compare = (wanted) => {
    if (wanted !== undefined) mode = wanted;
    const kept = keptBeside(viewed);
    modes.hidden = !kept;
    one("#unaligned").hidden = !kept || mode === "one";
    stage.classList.remove("flipped");
    if (kept && mode !== "one") stage.dataset.compare = mode; else delete stage.dataset.compare;
    for (const button of modes.children) button.ariaPressed = String(button.dataset.mode === mode);
  };
  // Zoom: the picture is enlarged about its middle and moved from there; both of two that are compared, each in its box.
  const MOST = 8;
  let zoom = 1, moved = [0, 0];
  const frame = () => {
    for (const picture of stage.querySelectorAll("img")) {
      const [width, height] = [picture.offsetWidth, picture.offsetHeight];
      moved = [width, height].map((side, axis) => Math.max(-1, Math.min(1, moved[axis] / (side * (zoom - 1) / 2 || Infinity))) * side * (zoom - 1) / 2);
      const [x, y] = moved, [left, top] = [width, height].map((side) => (side - side / zoom) / 2);
      picture.style.transform = zoom === 1 ? "" : `translate(${x}px, ${y}px) scale(${zoom})`;
      picture.style.clipPath = zoom === 1 ? "" : `inset(${top - y / zoom}px ${left + x / zoom}px ${top + y / zoom}px ${left - x / zoom}px)`;
    }
    stage.classList.toggle("zoomed", zoom > 1);
    one("#zoom-out").disabled = zoom === 1;
    one("#zoom-in").disabled = zoom === MOST || !one("img", stage);
  };
  const zoomTo = (wanted, at) => {
    const next = Math.max(1, Math.min(MOST, wanted)), whole = stage.getBoundingClientRect();
    let point = [0, 0];
    if (at) {
      const part = stage.dataset.compare === "beside" ? whole.width / 2 : whole.width;
      point = [(at.clientX - whole.left) % part - part / 2, at.clientY - whole.top - whole.height / 2];
    }
    moved = moved.map((before, axis) => point[axis] - (point[axis] - before) * next / zoom);
    zoom = next;
    frame();
  };
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomTo(zoom * Math.exp(-event.deltaY * (event.deltaMode ? 16 : 1) / 300), event);
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => { if (!event.target.closest("button")) zoomTo(zoom > 1 ? 1 : 3, event); });
  new ResizeObserver(frame).observe(stage);

  // One finger or the mouse moves an enlarged picture, or turns to the next photo; two fingers enlarge.
  const fingers = new Map();
  let from = null;
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return { size: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("button")) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    from = fingers.size === 1 ? event : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (fingers.size === 2) {
      const was = spread();
      fingers.set(event.pointerId, event);
      zoomTo(zoom * spread().size / (was.size || 1), spread());
      return;
    }
    fingers.set(event.pointerId, event);
    if (zoom === 1 || fingers.size > 1) return;
    moved = [moved[0] + event.clientX - before.clientX, moved[1] + event.clientY - before.clientY];
    frame();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => {
      const way = from && zoom === 1 && end === "pointerup" && event.pointerType === "touch" ? event.clientX - from.clientX : 0;
      fingers.delete(event.pointerId);
      from = null;
      if (Math.abs(way) > 50) show(beside(way < 0 ? 1 : -1));
    });
  }

  const SECONDS = 5;
  let timer = null;
  const play = (on) => {
    clearInterval(timer);
    timer = on ? setInterval(() => show(viewed === shown().at(-1) ? shown()[0] : beside(1)), SECONDS * 1000) : null;
    large.classList.toggle("playing", on);
    one("#play").ariaPressed = String(on);
    for (const name of ["ariaLabel", "title"]) one("#play")[name] = `${on ? "Pause" : "Slideshow"}${name === "title" ? " (s)" : ""}`;
    if (on) {
      if (large.open) zoomTo(1); else show(current);
      stage.focus();
      stage.requestFullscreen?.().catch(() => { /* the window is large enough */ });
    }
  };
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && timer) play(false); });
  const playOrPause = () => { if (cards.length) play(!timer); };

  const flip = () => stage.classList.toggle("flipped");
  setInterval(() => { if (large.open && stage.dataset.compare === "flicker" && !still.matches) flip(); }, 700);

  const enlarged = (card, className) => {
    const picture = one(".view img, .view .none", card).cloneNode(true);
    picture.removeAttribute("loading");
    if (className) picture.classList.add(className);
    return picture;
  };
  const show = (card) => {
    if (!card) return;
    viewed = card;
    choose(card, false);
    const all = shown(), kept = keptBeside(card), picture = enlarged(card);
    for (const before of stage.querySelectorAll("img, .none")) before.remove();
    [zoom, moved] = [1, [0, 0]];
    if (kept) {
      stage.append(enlarged(kept, "kept"));
      one(".name.first bdi", stage).textContent = `Keep ${one(".path dd", kept)?.title ?? ""}`;
      one(".name.copied bdi", stage).textContent = `Copy ${one(".path dd", card)?.title ?? ""}`;
    }
    stage.append(picture);
    compare();
    frame();
    tellChosen();
    one("h2", large).textContent = one("h3", card).textContent;
    one(".where", large).textContent = `${all.indexOf(card) + 1} of ${all.length}`;
    const facts = one("#facts"), link = one("h3 a", card), open = one(".open", large);
    facts.replaceChildren(...[...card.querySelectorAll(".marks, .note, dl")].map((part) => part.cloneNode(true)));
    open.hidden = !link;
    if (link) open.href = link.href;
    one("#previous").disabled = all[0] === card;
    one("#next").disabled = all[all.length - 1] === card;
    if (!large.open) {
      large.showModal();
      stage.focus();
    }
  };
  // The browser returns focus to the card the view was opened from; move it to the card shown last.
  large.addEventListener("close", () => {
    play(false);
    if (document.fullscreenElement) document.exitFullscreen();
    choose(viewed);
  });

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const texts = new Map();
  filter.addEventListener("input", () => {
    const words = plain(filter.value).split(/\s+/).filter(Boolean);
    for (const card of cards) {
      if (!texts.has(card)) texts.set(card, plain(one(".text", card).textContent));
      card.hidden = !words.every((word) => texts.get(card).includes(word));
    }
    for (const section of document.querySelectorAll("section")) section.hidden = !one(".card:not([hidden])", section);
    for (const link of links) link.parentElement.hidden = !one(`section[data-year="${CSS.escape(link.textContent)}"]:not([hidden])`);
    const all = shown();
    one("#count").textContent = words.length ? `· ${all.length} of ${cards.length} shown` : "";
    one(".rest").hidden = all.length > 0;
    if (all.length && current.hidden) choose(all[0], false);
  });

  const zooms = { "+": () => zoom * 1.5, "=": () => zoom * 1.5, "-": () => zoom / 1.5, 0: () => 1 };
  const moves = {
    ArrowRight: () => beside(1), j: () => beside(1), ArrowLeft: () => beside(-1), k: () => beside(-1),
    ArrowDown: () => (large.open ? beside(1) : inNextRow(true)), ArrowUp: () => (large.open ? beside(-1) : inNextRow(false)),
    Home: () => shown()[0], End: () => shown().at(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === filter) {
      if (event.key === "Escape") {
        filter.value = "";
        filter.dispatchEvent(new Event("input"));
      }
      if (["Escape", "Enter", "ArrowDown"].includes(event.key)) {
        event.preventDefault();
        choose(shown().includes(current) ? current : shown()[0]);
      }
      return;
    }
    const inGrid = document.activeElement?.closest(".card");
    if (moves[event.key] && cards.length) {
      const target = !large.open && !inGrid && event.key !== "End" && event.key !== "Home" ? current : moves[event.key]();
      if (large.open) show(target); else choose(target && !target.hidden ? target : shown()[0]);
    } else if (event.key === "Enter" && document.activeElement === document.body) show(shown().includes(current) ? current : shown()[0]);
    else if (event.key === "o" && large.open && !one(".open", large).hidden) one(".open", large).click();
    else if (large.open && !modes.hidden && one(`[aria-keyshortcuts="${CSS.escape(event.key)}"]`, modes)) compare(one(`[aria-keyshortcuts="${CSS.escape(event.key)}"]`, modes).dataset.mode);
    else if (large.open && zooms[event.key]) zoomTo(zooms[event.key]());
    else if (event.key === "s") playOrPause();
    else if (event.key === "x" && (large.open || inGrid)) pick(large.open ? viewed : current);
    else if (event.key === "a" && !large.open) pickAll(true);
    else if (event.key === "Escape" && !large.open && chosen().length) pickAll(false);
    else if (event.key === " " && timer && document.activeElement === stage) play(false);
    else if (event.key === " " && stage.dataset.compare === "flicker" && document.activeElement === stage) flip();
    else if (event.key === "/" && !large.open) filter.focus();
    else if (event.key === "t") turnTheme();
    else if (event.key === "?" && !large.open) help.showModal();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const view = event.target.closest(".view"), closing = event.target.closest("[data-close]");
    if (event.target.matches(".pick")) pick(event.target.closest(".card"), event.target.checked, event.shiftKey);
    else if (view && (event.shiftKey || event.ctrlKey || event.metaKey)) pick(view.closest(".card"), event.shiftKey || undefined, event.shiftKey);
    else if (view) show(view.closest(".card"));
    if (closing || event.target === help) event.target.closest("dialog").close();
  });
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest(".card");
    if (card && card !== current) choose(card, false);
  });
  one("#previous").addEventListener("click", () => show(beside(-1)));
  one("#next").addEventListener("click", () => show(beside(1)));
  modes.addEventListener("click", (event) => { if (event.target.dataset.mode) compare(event.target.dataset.mode); });
  one("#keys").addEventListener("click", () => help.showModal());
  one("#zoom-in").addEventListener("click", () => zoomTo(zoom * 1.5));
  one("#zoom-out").addEventListener("click", () => zoomTo(zoom / 1.5));
  one("#choose").addEventListener("click", () => pick(viewed));
  for (const button of ["#play", "#slideshow"]) one(button).addEventListener("click", playOrPause);

  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const turnTheme = () => {
    root.dataset.theme = dark() ? "light" : "dark";
    store("photoindex-theme", root.dataset.theme);
  };
  one("#theme").addEventListener("click", turnTheme);
  const kept = store("photoindex-theme");
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;

  for (const card of cards) {
    reach(card, card === current);
    box(card).checked = false; // a browser that loads the page again may restore it
  }
  root.classList.add("scripted");
  one("#slideshow").hidden = cards.length < 2;
  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
})();
