// The script of the service's page.

import { setLanguage } from "../i18n";
import { show } from "./Page";

document.documentElement.lang = setLanguage(...navigator.languages);
show(document.getElementById("panel")!);
