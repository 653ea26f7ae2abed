package io.cdcaudit.transformer.topology;

import io.cdcaudit.transformer.order.TopicBeginnings;
import io.cdcaudit.transformer.record.TableName;
import io.cdcaudit.transformer.shape.ShapeHistories;
import io.cdcaudit.transformer.shape.ShapeHistory;
import io.cdcaudit.transformer.shape.ShapeJson;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Keeps the shape histories in step with the catalog topic. Streams runs it over the whole topic
 * before the first change record, and then whenever an entry arrives. The store holds the entries
 * only because a global processor must have one.
 */
final class CatalogProcessor implements Processor<String, byte[], Void, Void> {

  static final String STORE = "catalog";

  private static final Logger LOG = LoggerFactory.getLogger(CatalogProcessor.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final ShapeHistories histories;
  private KeyValueStore<String, byte[]> store;

  CatalogProcessor(ShapeHistories histories) {
    this.histories = histories;
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    store = context.getStateStore(STORE);
  }

  @Override
  public void process(Record<String, byte[]> entry) {
    if (entry.key().equals(TopicBeginnings.KEY)) {
      return;
    }
    byte[] previous = store.get(entry.key());
    store.put(entry.key(), entry.value());
    try {
      if (entry.value() != null) {
        histories.receive(read(entry.value()));
      } else if (previous != null) {
        forget(read(previous).table());
      }
    } catch (RuntimeException invalid) {
      // Stopping would stop the audit of every table. Until the entry is mended, this table's
      // columns are named in untyped_columns.
      LOG.error(
          "The catalog entry \"{}\" can't be read and is not used; run"
              + " capture.republish_shapes() for a new one",
          entry.key(),
          invalid);
    }
  }

  /** An older entry may have had another key. Deleting that one must not forget the table. */
  private void forget(TableName table) {
    if (store.get(table.quoted()) == null) {
      histories.forget(table);
    }
  }

  private static ShapeHistory read(byte[] value) {
    return ShapeJson.readHistory(JSON.readTree(value));
  }
}
