"""`trabecula` with short waits, for trials in which processes are killed: seconds in place of minutes and hours."""

from gateway.records import film_queue, outbox

HASTY_S = (1, 1, 2, 2, 4, 4, 8, 8, 8)
LEASE_S = 75

outbox.RETRY_S, film_queue.RETRY_S = HASTY_S, (*HASTY_S,) * 3
outbox.LEASE_S = film_queue.LEASE_S = LEASE_S

if __name__ == "__main__":
    from gateway.assessing import outbox_worker

    outbox_worker.FIRST_PAUSE_S = outbox_worker.LONGEST_PAUSE_S = 2.0
    from gateway.cli.main import main

    main()
