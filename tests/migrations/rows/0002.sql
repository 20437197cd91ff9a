-- Rows that could stand in the tables of revision 0002. Written once, never changed.
INSERT INTO codes VALUES
  (x'21', 'grant-2', 'network', 'citizen-1', 'session-1', NULL, 'https://network.example/back', NULL, '{}', 1, 2, NULL, 'consent-1');
INSERT INTO access_tokens VALUES
  (x'23', 'network', NULL, '{"jti":"1"}', 9);
INSERT INTO backchannel_requests VALUES
  (x'24', 'ciba', 'network', 'citizen-1', NULL, '{}', x'5ea5', 'pending', NULL, 5, 1, 2, NULL, NULL, NULL);
INSERT INTO initial_access_tokens VALUES
  ('token-1', x'25', 'for the tests', '{}', 3, 1, 2, NULL);
INSERT INTO client_registrations VALUES
  ('network', x'26', 'token-1', 1);
INSERT INTO outbox VALUES
  ('delivery-1', 'backchannel_logout', 'network', 'network', x'5ea6', 0, 1, 1, NULL, NULL, NULL);
