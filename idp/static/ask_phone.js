// The page that asks a phone: looks whether it would be another one now, shows the next code, goes on.
(function () {
  "use strict";
  const page = document.getElementById("ask").dataset;
  const net = document.getElementById("connection");
  const finish = document.getElementById("phone-finish");
  const same = { cache: "no-store", credentials: "same-origin" };

  const say = (text) => { if (net.textContent !== text) net.textContent = text; };
  async function renew(mark) {
    const html = await (await fetch(location.href, same)).text();
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("phone-code");
    if (!fresh) return location.reload();
    document.getElementById("phone-code").replaceWith(document.importNode(fresh, true));
    page.mark = mark;
    return null;
  }
  async function look() {
    if (!document.hidden) {
      const slow = setTimeout(() => say(net.dataset.slow), 5000);
      try {
        const { mark } = await (await fetch(page.state, same)).json();
        say("");
        const isNextCode = mark.startsWith("open.") && page.mark.startsWith("open.");
        if (mark !== page.mark && !isNextCode) return location.reload();
        if (mark !== page.mark) await renew(mark);
      } catch (failure) {
        say(net.dataset.offline);
      }
      clearTimeout(slow);
    }
    return setTimeout(look, 2000);
  }
  if (finish) finish.submit();
  else if (page.waits) setTimeout(look, 2000);
})();
