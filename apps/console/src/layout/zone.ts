/** The time zone of all times on the pages: that of the browser, or UTC. Stored in this browser. */
import { effect } from '@preact/signals'
import { timeZone } from '../format/time.ts'

const key = 'imapfleet-zone'

/** Such as Europe/Berlin. */
export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone

export const zones = ['local', 'UTC'] as const
type Zone = (typeof zones)[number]

export const chosenZone = (): Zone => timeZone.value ?? 'local'

export const chooseZone = (zone: Zone): void => {
  timeZone.value = zone === 'UTC' ? 'UTC' : undefined
}

if (localStorage.getItem(key) === 'UTC') chooseZone('UTC')
effect(() => localStorage.setItem(key, chosenZone()))
