/** The pages that are measured, and how each says that its figures are there. */

export interface BenchPage {
  title: string
  path: string
  /** Expressions in the page, true when the first figures are drawn, and when all are. */
  first: string
  whole: string
}

/** A page is there before it can be seen: it waits for the session. */
const isSeen = (element: string) => `${element}?.checkVisibility({ visibilityProperty: true }) === true`
const has = (selector: string) => isSeen(`document.querySelector(${JSON.stringify(selector)})`)
const rowOf = (caption: string) =>
  `[...document.querySelectorAll('table')].some((table) => table.caption?.textContent === ${JSON.stringify(caption)} && ${isSeen("table.querySelector('tbody td')")})`
/** No cell waits for its figure. */
const isFilled = (selector: string) =>
  `[document.querySelector(${JSON.stringify(selector)})].every((cell) => cell !== null && cell.textContent !== '…')`
const allOf = (...expressions: string[]) => expressions.map((each) => `(${each})`).join(' && ')

/** Not of the console. */
export const emptyPage = (address: string): BenchPage => ({
  title: 'An empty page',
  path: address,
  first: has('p'),
  whole: has('p'),
})

/** `edge`: any of the fleet. */
export const consolePages = (edge: string): BenchPage[] => [
  {
    title: 'Overview',
    path: '/',
    first: has('.long-table .rows .capacity-bar'),
    whole: allOf(isFilled('.long-table .rows .col-sessions'), has('.fleet-charts .u-over')),
  },
  {
    title: 'Edge',
    path: `/edges/${edge}`,
    first: has('.facts dd'),
    whole: allOf(has('.facts dd'), has('.fleet-charts .u-over')),
  },
  {
    title: 'History, by region',
    path: '/history?groupBy=region',
    first: has('.history-charts .u-over'),
    whole: allOf(has('.history-charts .u-over'), rowOf('Values for the whole time range')),
  },
  { title: 'Alerts', path: '/alerts', first: rowOf('Rules of alerts'), whole: rowOf('Rules of alerts') },
  {
    title: 'Config',
    path: '/config',
    first: rowOf('Keys of global'),
    whole: allOf(rowOf('Keys of global'), rowOf('Revisions')),
  },
  {
    title: 'Revision',
    path: '/config/1',
    first: rowOf('Edges of this revision'),
    whole: rowOf('Edges of this revision'),
  },
  { title: 'Orders', path: '/orders', first: rowOf('Orders'), whole: rowOf('Orders') },
  { title: 'Access', path: '/access', first: rowOf('Tokens'), whole: rowOf('Tokens') },
  { title: 'Audit', path: '/audit', first: rowOf('Audit log'), whole: rowOf('Audit log') },
]
