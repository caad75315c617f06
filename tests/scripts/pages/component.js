/* Stands in for Gradio: gives a view what a script of gr.HTML is given, and a value that `window.send` sets. */

import { mount } from "../../../assets/page/page.js";

const props = { value: window.startValue || "" };
mount({
  element: document.body,
  props,
  server: window.functions || {},
  trigger: (name, data) => (window.told ||= []).push([name, data]),
  watch: (name, callback) => {
    window.send = (value) => {
      props.value = value;
      callback();
    };
  },
});
