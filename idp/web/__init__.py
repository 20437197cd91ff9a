"""What every HTTP handler shares: state, forms, cookies, answers, errors. Decides no rule.

| module | what it holds |
|---|---|
| state | what the application opened at its start, typed |
| requests | reading forms, queries, cookies and the caller's address, with caps |
| answers | responses with the headers that each kind needs |
| cookies | names and attributes of the two cookies |
| boundary | the outermost ASGI layer: one log line per request, no unhandled exception |
| failures | every refusal becomes JSON or a page here, and nowhere else |
| clients | registered clients in memory, refreshed when any of them changes |
"""
