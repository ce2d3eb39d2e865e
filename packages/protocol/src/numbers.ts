/**
 * Schemas for hundreds of numbers by name, as in every report. One check for the whole object costs a tenth of a
 * schema for each entry, and control parses the reports of the whole fleet.
 */
import { z } from 'zod'

interface NumberRules {
  isName: (name: string) => boolean
  isNumber: (value: number) => boolean
  /** Completes the sentence `it ...`. */
  message: string
}

export const numbersByName = ({ isName, isNumber, message }: NumberRules) =>
  z.custom<Record<string, number>>((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    // Copying an object with this key would set the prototype of the copy.
    if (Object.hasOwn(value, '__proto__')) return false
    // Object.entries would allocate an array for each of about two hundred entries.
    for (const number of Object.values(value))
      if (typeof number !== 'number' || !Number.isFinite(number) || !isNumber(number)) return false
    for (const name of Object.keys(value)) if (!isName(name)) return false
    return true
  }, message)

const seriesKeyMax = 200
const isSeriesKey = (name: string): boolean => name.length <= seriesKeyMax

/** Series keys to counts, which never fall below zero. */
export const counterSeries = numbersByName({
  isName: isSeriesKey,
  isNumber: (value) => value >= 0,
  message: `must hold numbers from 0 by names of at most ${seriesKeyMax} characters`,
})

/** Series keys to numbers. */
export const gaugeSeries = numbersByName({
  isName: isSeriesKey,
  isNumber: () => true,
  message: `must hold numbers by names of at most ${seriesKeyMax} characters`,
})
