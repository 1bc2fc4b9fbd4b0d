// The page of a result that was made before: its picture comes from the site, where it keeps them.
import { viewer } from "./viewer.js";

viewer(document);
