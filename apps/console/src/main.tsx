/** Starts the console in its page. */
import './style/tokens.css'
import './style/base.css'
import './style/layout.css'
import './style/ui.css'
import './ui/printable.ts'
import { render } from 'preact'
import { App } from './app.tsx'

const place = document.getElementById('console')
if (place) render(<App />, place)
