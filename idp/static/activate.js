// The QR code of a letter carries the code behind "#", which no browser sends and no server logs. It is moved
// from the address into its field, and the address is forgotten. Without this script it is typed by hand.
const sent = location.hash.slice(1);
if (/^[0-9A-Z-]{20,24}$/.test(sent)) {
  document.getElementById("activation-code").value = sent;
  history.replaceState(null, "", location.pathname + location.search);
}
