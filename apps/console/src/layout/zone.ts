/** The time zone of all times on the pages: the zone of the browser, or UTC. Stored in this browser. */
import { effect, signal } from '@preact/signals'
import { timeZone } from '../format/time.ts'

const key = 'imapfleet-zone'

/** Of the browser, such as Europe/Berlin. To find it takes a browser 30 ms or more, so the figures of the page come first. */
export const localZone = signal('')
const zoneMs = 500
setTimeout(() => (localZone.value = Intl.DateTimeFormat().resolvedOptions().timeZone), zoneMs)

export const zones = ['local', 'UTC'] as const
type Zone = (typeof zones)[number]

export const chosenZone = (): Zone => timeZone.value ?? 'local'

export const chooseZone = (zone: Zone): void => {
  timeZone.value = zone === 'UTC' ? 'UTC' : undefined
}

if (localStorage.getItem(key) === 'UTC') chooseZone('UTC')
effect(() => localStorage.setItem(key, chosenZone()))
