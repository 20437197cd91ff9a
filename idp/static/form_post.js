// Sends the authorization response on at once. Without scripts the page's visible button does the same.
document.getElementById("form-post").submit();
