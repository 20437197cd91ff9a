-- Rows that could stand in the tables of revision 0003. Written once, never changed.
INSERT INTO link_changes VALUES
  ('change-1', 'network', 'link-1', 'established', 'active', '{}', 1, 1);
INSERT INTO status_lists VALUES
  ('list-1', 'network', 8, 7, x'01', 1, x'00', 2, 1, 1);
INSERT INTO event_streams VALUES
  ('stream-1', 'network', 'enabled', '{}', x'5ea7', 1, 1, 1, NULL);
INSERT INTO event_stream_subjects VALUES
  ('stream-1', 'subject-1', 1);
INSERT INTO cases VALUES
  ('case-1', 'ABCD2345', 'not_me', 'open', 'network', 'link-1', NULL, 'citizen-1', NULL, 'citizen', 'citizen-1', x'5ea8', 1, NULL, NULL, NULL, NULL);
INSERT INTO notices VALUES
  ('notice-1', 'citizen-1', 'link_established', 'network', 'link-1', NULL, '{}', x'31', 1, NULL, 9);
INSERT INTO notice_preferences VALUES
  ('citizen-1', '["email"]', 'vi', 1);
INSERT INTO guardianships VALUES
  ('guardianship-1', 'citizen-1', 'citizen-1', 'operator', 'file 7', 9, 1, NULL, NULL);
INSERT INTO guardian_requests VALUES
  ('request-1', 'citizen-1', 'network', 'account-1', '{}', 'pending', NULL, 1, 9, NULL, NULL);
