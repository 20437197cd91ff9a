-- Rows that could stand in a database at revision 0001. Written once, never changed.
INSERT INTO citizens VALUES
  ('citizen-1', 'active', 'vn2', 1, x'5ea1', x'0f', NULL, 2, 3);
INSERT INTO personal_numbers VALUES
  ('citizen-1', x'0a', x'5ea2', 1, 5),
  ('citizen-1', x'0b', x'5ea3', 5, NULL);
INSERT INTO authenticators VALUES
  ('citizen-1', 'totp', x'5ea4', 7, 1);
INSERT INTO attempts VALUES
  (x'01', 3, 1, 2, 3);
INSERT INTO sessions VALUES
  ('session-1', x'02', 'citizen-1', 'vn-2', '["pwd","otp"]', 1, 2, 3, 4, NULL);
INSERT INTO clients VALUES
  ('network', '{}', '[]', 'active', 4, 1, 2);
INSERT INTO pushed_requests VALUES
  (x'03', 'network', '{}', 9, NULL);
INSERT INTO interactions VALUES
  (x'04', NULL, 'network', '{}', NULL, 1, 2, NULL, NULL, NULL, NULL);
INSERT INTO consents VALUES
  ('consent-1', 'citizen-1', 'network', 'allow', 'first_time', 'post', '["openid"]', '["name"]', '["name"]', '2026-11', 'vi', 1, NULL);
INSERT INTO account_links (link_id, client_id, account_id, citizen_id, subject, status, proofing, acr,
  handle, place, requested_at, linked_at, expires_at, updated_at)
  VALUES
  ('link-1', 'network', 'tài khoản', 'citizen-1', 'sub', 'active', 'vn2', 'vn-2', '@lan', 1, 1, 2, 3, 4),
  ('link-2', 'network', 'tài khoản', 'citizen-1', 'sub', 'ended', 'vn2', 'vn-2', NULL, NULL, 1, 2, 3, 4);
INSERT INTO codes VALUES
  (x'05', 'grant-2', 'network', 'citizen-1', 'session-1', NULL, 'https://network.example/callback', 'challenge', '{}', 1, 2, NULL);
INSERT INTO grants VALUES
  ('grant-1', 'network', 'citizen-1', 'session-1', 'link-1', '{}', 1, 2, NULL, NULL);
INSERT INTO refresh_tokens VALUES
  (x'06', 'grant-1', 1, 1, 2, NULL);
INSERT INTO spent VALUES
  (x'07', 9);
INSERT INTO audit_events VALUES
  ('event-1', 1, 'account_link:activated', 'client', 'network', 'network', 'citizen-1', 'link-1', '{}', 1, x'08'),
  ('event-2', 2, 'keys:rotated', 'operator', 'minh', NULL, NULL, NULL, '{}', NULL, NULL);
UPDATE audit_head SET sequence = 1, chain_hash = x'08', sealed_at = 3;
INSERT INTO leases VALUES
  ('sequencer', 'me', 1, 2);
