package io.cdcaudit.actors.conformance;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** A row of the suite's table. */
@Entity
@Table(name = "items", schema = "public")
class Item {
  @Id
  private String id;

  private String note;

  protected Item() {}

  Item(String id) {
    this.id = id;
  }

  void setNote(String note) {
    this.note = note;
  }

  String note() {
    return note;
  }
}
