package io.pgflow.examples.quickstart;

/** Text as HTML and SVG show it. */
final class Html {

    private Html() {}

    /** A text for between tags, or for an attribute in quotes. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
