// The page of a result that was made before: its picture, and the one before it, come from the site, where it keeps them.
import { viewer } from "./viewer.js";

for (const figure of document.querySelectorAll("[data-viewer]")) viewer(figure);
