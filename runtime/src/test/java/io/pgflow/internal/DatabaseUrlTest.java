package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pgflow.PgflowException.InvalidOption;
import io.pgflow.internal.DatabaseUrl.Host;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGProperty;

class DatabaseUrlTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://db.example.org:5433/orders?user=ann&password=s3cret",
                "jdbc:postgresql://ann:s3cret@db.example.org:5433/orders",
                "postgresql://ann:s3cret@db.example.org:5433/orders",
                "postgres://ann:s3cret@db.example.org:5433/orders",
                "postgresql://db.example.org:5433/orders?password=s3cret&user=ann",
                " postgresql://%61nn:s3%63ret@db.example.org:5433/%6Frders\n",
            })
    void isReadInEitherForm(String value) {
        assertThat(parsed(value))
                .returns(List.of(new Host("db.example.org", 5433)), DatabaseUrl::hosts)
                .returns("orders", DatabaseUrl::database)
                .returns("ann", DatabaseUrl::user)
                .returns("s3cret", DatabaseUrl::password);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"jdbc:postgresql://", "postgresql://", "postgres:///", "postgresql://@/", "postgresql://:@:/?"})
    void isTheDefaultWhereAPartIsMissing(String value) {
        assertThat(parsed(value))
                .returns(List.of(new Host("localhost", 5432)), DatabaseUrl::hosts)
                .returns("", DatabaseUrl::database)
                .returns(null, DatabaseUrl::user)
                .returns(null, DatabaseUrl::password);
    }

    @Test
    void mayNameSeveralHosts() {
        var url = parsed("postgresql://ann@[2001:db8::1]:6000,[::1],standby:5433,:7000/orders");

        assertThat(url.hosts())
                .containsExactly(
                        new Host("[2001:db8::1]", 6000),
                        new Host("[::1]", 5432),
                        new Host("standby", 5433),
                        new Host("localhost", 7000));
        assertThat(url.dataSource().getURL())
                .startsWith("jdbc:postgresql://[2001:db8::1]:6000,[::1]:5432,standby:5433,localhost:7000/orders?")
                .contains("targetServerType=primary");
    }

    @ParameterizedTest
    @CsvSource({"p@ss:w0rd, p@ss:w0rd", "p%40ss%2Fw0rd, p@ss/w0rd", "a+b, a+b", "'a b#', 'a b#'", "%C3%A4, ä"})
    void takesThePasswordUpToTheLastAt(String written, String meant) {
        assertThat(parsed("postgresql://ann:" + written + "@host/orders").password())
                .isEqualTo(meant);
    }

    @Test
    void takesParametersByTheNamesOfLibpqAndOfTheDriver() {
        var url = parsed("postgresql://host/orders?sslmode=require&connect_timeout=2&ApplicationName=bill%26ing"
                + "&target_session_attrs=read-write&prepareThreshold=0&options=-c%20jit%3Doff");

        var dataSource = url.dataSource();

        assertThat(dataSource.getSslMode()).isEqualTo("require");
        assertThat(dataSource.getConnectTimeout()).isEqualTo(2);
        assertThat(dataSource.getApplicationName()).isEqualTo("bill&ing");
        assertThat(dataSource.getTargetServerType()).isEqualTo("primary");
        assertThat(dataSource.getPrepareThreshold()).isZero();
        assertThat(dataSource.getProperty(PGProperty.OPTIONS)).isEqualTo("-c jit=off");
    }

    @Test
    void namesTheProgramAndPreparesAtFirstUseUnlessItSaysOtherwise() {
        var dataSource = parsed("postgresql://host/orders").dataSource();

        assertThat(dataSource.getApplicationName()).isEqualTo("pgflow");
        assertThat(dataSource.getPrepareThreshold()).isOne();
        assertThat(dataSource.getTcpKeepAlive()).isTrue();
    }

    @Test
    void isShownWithoutPasswordAndParameters() {
        assertThat(parsed("postgresql://ann:s3cret@a,[::1]:7/orders?sslpassword=s3cret"))
                .hasToString("jdbc:postgresql://a:5432,[::1]:7/orders?user=ann");
        assertThat(parsed("postgresql:///orders")).hasToString("jdbc:postgresql://localhost:5432/orders");
    }

    @Test
    void takesUserAndPasswordThatAreGivenApart() {
        var url = parsed("postgresql://ann:s3cret@host/orders");

        assertThat(url.as("bob", null)).returns("bob", DatabaseUrl::user).returns("s3cret", DatabaseUrl::password);
        assertThat(url.as(null, "other")).returns("ann", DatabaseUrl::user).returns("other", DatabaseUrl::password);
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', textBlock = """
            mysql://ann:s3cret@host/orders,                  mysql://ann:***@host/orders
            jdbc:oracle:thin:ann/s3cret@host,                jdbc:***@host
            ann:s3cret@host/orders,                          ann:***@host/orders
            host=db password=s3cret user=ann,                host=db password=*** user=ann
            host=db PASSWORD = 's3cret too',                 host=db PASSWORD = ***
            postgresql://ann:s3cret/x@host/orders,           postgresql://ann:***@host/orders
            postgresql://ann:s3cret@host:port/orders,        postgresql://ann:***@host:port/orders
            postgresql://ann:s3cret@host:65536/orders,       postgresql://ann:***@host:65536/orders
            postgresql://ann:s3cret@::1/orders,              postgresql://ann:***@::1/orders
            postgresql://ann:s3cret@%2Ftmp/orders,           postgresql://ann:***@%2Ftmp/orders
            postgresql://ann:s3cret%zz@host/orders,          postgresql://ann:***@host/orders
            postgresql://ann:s3cret@host/orders/more,        postgresql://ann:***@host/orders/more
            jdbc:postgresql://h/d?user=ann&password=s3cret&x, jdbc:postgresql://h/d?user=ann&password=***&x
            jdbc:postgresql:orders?sslpassword=s3cret,       jdbc:postgresql:orders?sslpassword=***
            postgresql://ann:1?s3cret=2@host/orders,         postgresql://ann:***@host/orders
            postgresql://host/orders?host=other,             postgresql://host/orders?host=other
            "  ",                                            "  "
            """)
    void isRefusedInAnyOtherFormAndShownMasked(String value, String shown) {
        assertThatExceptionOfType(InvalidOption.class)
                .isThrownBy(() -> DatabaseUrl.parse("PGFLOW_DATABASE_URL", value))
                .satisfies(e -> {
                    assertThat(e.option()).isEqualTo("PGFLOW_DATABASE_URL");
                    assertThat(e.value()).isEqualTo(shown);
                    assertThat(e.allowed())
                            .contains("jdbc:postgresql://HOST:PORT/DATABASE")
                            .contains("postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
                    assertThat(e).message().doesNotContain("s3cret");
                });
    }

    @Test
    void isRefusedWithAParameterThatNobodyKnows() {
        assertThatExceptionOfType(InvalidOption.class)
                .isThrownBy(() -> parsed("postgresql://host/orders?sslmod=require"))
                .satisfies(e -> assertThat(e.allowed()).contains("'sslmod' is not a parameter"));
    }

    private static DatabaseUrl parsed(String value) {
        return DatabaseUrl.parse("url", value);
    }
}
