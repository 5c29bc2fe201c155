import java.io.File;
import org.cyclonedx.model.Bom;
import org.cyclonedx.model.Component;
import org.cyclonedx.parsers.BomParserFactory;

/** Prints what the library of Dependency-Track reads from the CycloneDX document that is named, a line "KIND|NAME|VERSION|PURL" each; first what it finds invalid. */
public class CycloneDxJava {
  public static void main(String[] args) throws Exception {
    File file = new File(args[0]);
    var parser = BomParserFactory.createParser(file);
    for (var error : parser.validate(file)) System.out.println("invalid|" + error.getMessage());
    Bom bom = parser.parse(file);
    System.out.println("spec|" + bom.getSpecVersion());
    walk(bom.getComponents());
  }

  static void walk(java.util.List<Component> components) {
    if (components == null) return;
    for (Component each : components) {
      System.out.println(
          String.join("|", each.getType().getTypeName(), each.getName(), String.valueOf(each.getVersion()), String.valueOf(each.getPurl())));
      walk(each.getComponents());
    }
  }
}
