/** For unit tests about silence: control has heard, or was deaf, for as long as a test says. */
import type { Database } from '../../platform/db/database.ts'

/** Control has heard for this long, without a gap. */
export async function hearFor(db: Database, seconds: number): Promise<void> {
  await db.sql`
    update hearing set since = now() - ${seconds}::float8 * interval '1 second', until = now(),
      earlier = '{}'`
}

/** Control hears at this moment, however long the test has taken so far. */
export async function hearNow(db: Database): Promise<void> {
  await db.sql`update hearing set until = now()`
}

/**
 * Some time passes, in which no heartbeat is received and control hears or is deaf. Silence grows by exactly this time,
 * however long the test has taken since control last heard.
 */
export async function passTime(db: Database, seconds: number, { deaf = false } = {}): Promise<void> {
  const time = db.sql`${seconds}::float8 * interval '1 second'`
  const ago = deaf ? time : db.sql`(${time} - (select now() - until from hearing))`
  const seen = deaf ? db.sql`last_seen_at` : db.sql`least(last_seen_at, (select until from hearing))`
  await db.sql.begin(async (tx) => {
    await tx`update edges set last_seen_at = ${seen} - ${ago}`
    await tx`
      update hearing set since = since - ${ago}, until = ${deaf ? db.sql`until - ${ago}` : db.sql`now()`},
        earlier = (
          select coalesce(range_agg(tstzrange(lower(times) - ${ago}, upper(times) - ${ago})), '{}')
          from unnest(earlier) as times)`
  })
}
