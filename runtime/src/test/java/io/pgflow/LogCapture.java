package io.pgflow;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/** Catches what a logger and those below it say, all levels, instead of the console. */
public final class LogCapture implements AutoCloseable {

    private final Logger logger;
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            event.prepareForDeferredProcessing();
            events.add(event);
        }
    };

    private LogCapture(String name) {
        logger = (Logger) LoggerFactory.getLogger(name);
        appender.start();
        logger.setLevel(Level.TRACE);
        logger.setAdditive(false);
        logger.addAppender(appender);
    }

    /** Catches from now on. */
    public static LogCapture of(String logger) {
        return new LogCapture(logger);
    }

    /** The messages so far. */
    List<String> messages() {
        return events.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    /** The messages of an event so far, and their levels. */
    public List<String> messages(String event) {
        return events.stream()
                .filter(line -> line.getFormattedMessage().startsWith("event=" + event + " "))
                .map(line -> line.getLevel() + " " + line.getFormattedMessage())
                .toList();
    }

    /** All so far as a file would have it, with stack traces. */
    String text() {
        var layout = new PatternLayout();
        layout.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
        layout.setPattern("%d{HH:mm:ss.SSS} %-5level %logger{0}: %msg%n%ex");
        layout.start();
        return events.stream().map(layout::doLayout).collect(Collectors.joining());
    }

    @Override
    public void close() {
        logger.detachAppender(appender);
        logger.setAdditive(true);
        logger.setLevel(null);
    }
}
