-- Rows that could stand in the tables of revision 0004. Written once, never changed.
INSERT INTO idempotency_keys VALUES
  (x'41', x'42', 200, '{}', 9);
INSERT INTO mass_actions VALUES
  ('action-1', 'suspend', '{}', 'breach', 'proposed', 'lan', NULL, 1, 0, 0, '', 1, 1, NULL, NULL, NULL);
INSERT INTO mass_action_items VALUES
  ('action-1', 'link-1', '{}', 1, NULL);
INSERT INTO merkle_tiles VALUES
  (0, 0, x'43');
INSERT INTO checkpoints VALUES
  (1, x'44', 'signed', 1);
INSERT INTO purged_log VALUES
  (1, 0, x'45', 1);
INSERT INTO delivery_figures VALUES
  (0, 'backchannel_logout', 5, 12);
INSERT INTO feature_policies VALUES
  (2, '{}', 'lan', 1, 1);
INSERT INTO simulations VALUES
  ('network', '{}', 1, 1, 1, 9);
INSERT INTO operators VALUES
  ('lan', x'5ea9', NULL, 'nga', 1, NULL);
