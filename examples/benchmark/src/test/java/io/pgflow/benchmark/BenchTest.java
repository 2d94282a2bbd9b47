package io.pgflow.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.assertj.core.api.Condition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The benchmark works: with tiny counts it measures everything that it should. How fast that is says nothing, and is not looked at. */
class BenchTest {

    @Test
    void measuresTheSqlFunctions(@TempDir Path out) throws Exception {
        Bench.main(new String[] {"sql", "--quick", "--out", out.toString()});

        var json = new JsonMapper().readTree(Files.readString(out.resolve("results.json")));
        assertThat(json.get("figures").valueStream()).hasSize(37).allSatisfy(BenchTest::wasMeasured);
        assertThat(json.get("goals").valueStream())
                .hasSize(24)
                .allSatisfy(goal -> assertThat(goal.get("verdict").asString()).isIn("holds", "misses"));
        var page = page(out);
        assertThat(rows(page, 0)).as("goals").isEqualTo(1 + 24);
        assertThat(page.getElementsByTagName("svg").getLength()).isEqualTo(4);
    }

    @Test
    void measuresTheWhole(@TempDir Path out) throws Exception {
        Bench.main(new String[] {"--quick", "--out", out.toString()});

        var json = new JsonMapper().readTree(Files.readString(out.resolve("results.json")));
        assertThat(json.get("figures").valueStream()).allSatisfy(BenchTest::wasMeasured);
        var figures = json.get("figures")
                .valueStream()
                .collect(Collectors.groupingBy(figure -> figure.get("section").asString(), Collectors.counting()));
        // the CPU time of the server is known on Linux only
        assertThat(figures.remove("Cost of draining single steps")).isIn(6L * 4, 6L * 5);
        assertThat(figures)
                .isEqualTo(Map.of(
                        "Throughput",
                        6L + 3 + 1 + 1 + 4,
                        "Starting runs",
                        6L + 4,
                        "Latency of an idle worker",
                        3L * 2,
                        "Growth: slots",
                        4L,
                        "Growth: worker processes",
                        2L,
                        "Growth: maps, from start to end",
                        2L * 3,
                        "Growth: tables",
                        2L,
                        "Footprint",
                        6L));
        assertThat(json.get("goals").valueStream())
                .hasSize(24)
                .allSatisfy(goal -> assertThat(goal.get("verdict").asString()).isIn("holds", "misses"));
        assertThat(rows(page(out), 0)).as("goals").isEqualTo(1 + 24);
        assertThat(Files.readAllLines(out.resolve("results.md")))
                .contains("![growth](growth.svg)")
                .areExactly(24, new Condition<>(line -> line.matches("\\| .* \\| [≥≤] .* \\| .*"), "numbers to reach"))
                .areExactly(1 + 9, new Condition<>(line -> line.startsWith("## "), "tables"));
        assertThat(charts(out.resolve("throughput.svg"))).isEqualTo(3);
        assertThat(charts(out.resolve("starting-runs.svg"))).isEqualTo(2);
        assertThat(charts(out.resolve("growth.svg"))).isEqualTo(1 + 1 + 2 + 1);
    }

    private static void wasMeasured(JsonNode figure) {
        assertThat(figure.get("values").valueStream())
                .as("%s", figure)
                .hasSize(1)
                .allSatisfy(value -> assertThat(value.isNumber()).isTrue());
    }

    /** The report, which is also XML, so that a mistake in it shows. */
    private static Document page(Path out) throws Exception {
        return parse(out.resolve("report.html"));
    }

    private static Document parse(Path file) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(Files.readString(file))));
    }

    /** How many charts the file has. */
    private static int charts(Path file) throws Exception {
        return parse(file).getElementsByTagName("g").getLength();
    }

    /** How many rows the table has. */
    private static int rows(Document page, int table) {
        return ((Element) page.getElementsByTagName("table").item(table))
                .getElementsByTagName("tr")
                .getLength();
    }
}
