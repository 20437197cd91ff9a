-- Rows that could stand in the tables of revision 0005. Written once, never changed.
INSERT INTO passkeys VALUES
  (x'51', 'passkey-1', 'citizen-1', x'52', 3, x'5ea9', '00000000-0000-0000-0000-000000000000', '["internal"]', 'none', 0, 1, 1, 1, 2, NULL, NULL);
INSERT INTO app_devices VALUES
  ('device-1', 'citizen-1', '{}', 'hash', x'5eaa', 0, NULL, NULL, 1, 1, NULL, NULL, NULL);
INSERT INTO phone_approvals VALUES
  (x'53', 'sign_in', 'my', x'54', x'5eab', NULL, NULL, NULL, 'open', NULL, 1, 9, NULL, NULL, NULL);
INSERT INTO phone_codes VALUES
  (x'55', 'approval', 'approval-1', 1, 9, NULL);
INSERT INTO recovery_codes VALUES
  (x'56', 'citizen-1', 1, NULL);
INSERT INTO trusted_browsers VALUES
  (x'57', 'browser-1', 'citizen-1', x'5eac', 1, 1, 9, NULL);
INSERT INTO activations VALUES
  ('activation-1', x'58', 'citizen-1', 'enrolment', 'post', NULL, 'issued', NULL, NULL, 'lan', NULL, 1, 1, 9, NULL, NULL, NULL, NULL);
INSERT INTO upstream_accounts VALUES
  ('upstream', x'59', 'citizen-1', 1, 1, NULL);
INSERT INTO upstream_visits VALUES
  (x'5a', 'upstream', 'my', x'5b', x'5ead', 1, 9, NULL);
