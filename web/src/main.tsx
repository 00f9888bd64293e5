import { render } from 'preact';
import { startLive } from './live';
import { Shell } from './shell';

startLive();
const root = document.getElementById('app');
if (root) {
  root.textContent = '';
  render(<Shell />, root);
}
