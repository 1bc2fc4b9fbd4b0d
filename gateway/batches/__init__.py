"""Many cases handed in as one job: kept in the database, worked on beside the requests, resumed after a restart."""
