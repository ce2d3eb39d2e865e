-- Each heartbeat replaces its row. Half of each page stays free, so that the new row fits beside the old one, no index
-- changes, and the next access to the page removes the old one. Rows are kept in the table up to half a page: a part in
-- the table of large values would be written anew with each heartbeat and removed only by vacuum.
ALTER TABLE "edges" SET (fillfactor = 50, toast_tuple_target = 4080);
