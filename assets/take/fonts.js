/* Fonts of exported files, which do not have the page's style. */

import { language } from "../page/i18n.js";

const LATIN = "'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', 'Liberation Sans'";
const LATIN_MONO = "'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono'";
// As in player/base.css: fonts for the reader's own Han characters before the system's.
const HAN = "'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', 'Source Han Sans SC'";
const isChinese = language === "zh-Hans";

export const SANS = isChinese ? `${LATIN}, ${HAN}, system-ui, sans-serif` : `system-ui, ${LATIN}, sans-serif`;
export const MONO = isChinese ? `${LATIN_MONO}, ${HAN}, ui-monospace, monospace` : `ui-monospace, ${LATIN_MONO}, monospace`;
