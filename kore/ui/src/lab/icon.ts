// A sheaf: Kore's mark, in the colour of JupyterLab's icons.
export default `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.8" stroke-linecap="round">
    <path d="M12 21V9M12 9c0-3 1.500-5 0-7M12 14c-4 0-6-2-6-6 4 0 6 2 6 6zM12 14c4 0 6-2 6-6-4 0-6 2-6 6zM12 19c-4 0-6-2-6-6 4 0 6 2 6 6zM12 19c4 0 6-2 6-6-4 0-6 2-6 6z"/>
  </g>
</svg>`;
