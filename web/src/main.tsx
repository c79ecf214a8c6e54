// Where the page starts. The one-time code is taken out of the address before anything else happens.
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { takeLink } from './fragment';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';

const link = takeLink(window.location, window.history);
const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App firstLink={link} />);
